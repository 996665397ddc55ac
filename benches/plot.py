#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plots latency and throughput of two processes against message size, from the figures of benches/peers.c.

usage: plot.py TSV LATENCY.SVG THROUGHPUT.SVG

Each plot has two panels: both processes on one CPU, and each on its own CPU. Both axes are logarithmic. The colours
follow the reader's light or dark mode.
"""
import csv
import math
import sys
from collections import defaultdict

WIDTH, HEIGHT = 960, 464
PANEL_TOP, PANEL_BOTTOM = 106, 400
PANELS = ((76, 376), (544, 844))
LEAST_GAP = 15

# For light mode and for dark mode: hues that are also distinguishable with colour blindness.
COLOURS = {
    "send + recvmsg": ("#6b7280", "#9ca3af"),
    "mm_ipc": ("#d4380d", "#ff7a45"),
    "shared-memory ring (examples)": ("#0f766e", "#2dd4bf"),
    "the same, data copied into it": ("#0e7490", "#67d3ee"),
    "libqb (shared memory)": ("#0b7a3e", "#3ecf7f"),
    "nng": ("#8a5a00", "#e0a93a"),
    "ZeroMQ": ("#1d4ed8", "#7aa7ff"),
    "D-Bus (sd-bus)": ("#8b2fb3", "#d28bf0"),
}
SHORT = {"send + recvmsg": "bare calls", "shared-memory ring (examples)": "ring", "the same, data copied into it": "ring, copied",
         "libqb (shared memory)": "libqb", "D-Bus (sd-bus)": "D-Bus"}
SIZE_NAMES = {64: "64 B", 1024: "1 KiB", 16384: "16 KiB", 131072: "128 KiB", 1048576: "1 MiB"}


def read(path):
    """figures[kind][cpus][transport] = [(bytes, median), ...]"""
    figures = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            value = float(row["median"])
            if not math.isnan(value):
                figures[row["kind"]][row["cpus"]][row["transport"]].append((int(row["bytes"]), value))
    return figures


def style():
    rules = ["text { font: 13px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #374151 }",
             ".title { font-size: 18px; font-weight: 600; fill: #111827 } .panel { font-size: 14px; font-weight: 600 }",
             ".ground { fill: #ffffff } .grid { stroke: #e5e7eb; fill: none } .line { fill: none; stroke-width: 2 }",
             ".ours { stroke-width: 3.5 } .ours-text { font-weight: 700 }",
             ".leader { stroke-width: 1; opacity: .5; fill: none }"]
    dark = ["text { fill: #c9d1d9 } .title { fill: #f0f6fc } .ground { fill: #0d1117 } .grid { stroke: #2b323b }"]
    for number, (light, night) in enumerate(COLOURS.values()):
        for rule, colour in ((rules, light), (dark, night)):
            rule.append(f".s{number} {{ stroke: {colour} }} .d{number}, text.t{number} {{ fill: {colour} }}")
    rules += ["@media (prefers-color-scheme: dark) {", *dark, "}"]
    return "\n".join(["<style>", *rules, "</style>"])


def ticks(low, high):
    """1, 10, 100 and so on, with 2 and 5 between them where space permits."""
    steps = (1, 2, 5) if high / low < 300 else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    values = [s * 10.0**e for e in range(first, last + 1) for s in steps]
    return [value for value in values if low / 1.0001 <= value <= high * 1.0001]


def rounded(values):
    """Limits with a small margin, rounded to 1, 2, 5 times a power of ten."""
    steps = sorted(s * 10.0**e for e in range(-4, 8) for s in (1, 2, 5))
    low = max(step for step in steps if step <= min(values))
    return low, min(step for step in steps if step >= max(values))


def spread(wanted):
    """Moves overlapping labels apart, as little as needed, and keeps them inside the panel."""
    placed = []
    for y, name in sorted(wanted):
        placed.append([max(y, placed[-1][0] + LEAST_GAP) if placed else y, name])
    overflow = placed[-1][0] - (PANEL_BOTTOM + 4) if placed else 0
    if overflow > 0:
        limit = PANEL_BOTTOM + 4
        for place in reversed(placed):
            place[0] = min(place[0], limit)
            limit = place[0] - LEAST_GAP
    return {name: y for y, name in placed}


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def panel(parts, left, right, title, lines, limits):
    sizes = sorted({size for points in lines.values() for size, _ in points})
    low, high = limits

    def x_of(size):
        return left + (right - left) * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])

    def y_of(value):
        return PANEL_BOTTOM - (PANEL_BOTTOM - PANEL_TOP) * math.log(value / low) / math.log(high / low)

    parts.append(f'<text class="panel" x="{left}" y="{PANEL_TOP - 14}">{title}</text>')
    for tick in ticks(low, high):
        y = y_of(tick)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for size in sizes:
        x = x_of(size)
        parts.append(f'<path class="grid" d="M{x:.1f} {PANEL_TOP}V{PANEL_BOTTOM}"/>')
        size_name = SIZE_NAMES.get(size, size)
        parts.append(f'<text x="{x:.1f}" y="{PANEL_BOTTOM + 20}" text-anchor="middle">{size_name}</text>')
    labels = spread([(y_of(points[-1][1]) + 4, name) for name, points in lines.items()])
    # Ours is drawn last, above the others.
    for name in sorted(lines, key=lambda name: name == "mm_ipc"):
        index = list(COLOURS).index(name)
        ours = " ours" if name == "mm_ipc" else ""
        points = [(x_of(size), y_of(value)) for size, value in lines[name]]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(f'<path class="line s{index}{ours}" d="M{line}"/>')
        parts += [f'<circle class="d{index}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points]
        x, y = points[-1]
        parts.append(f'<path class="leader s{index}" d="M{x + 5:.1f} {y:.1f}L{x + 16:.1f} {labels[name] - 4:.1f}"/>')
        kind = f"t{index} ours-text" if ours else f"t{index}"
        parts.append(f'<text class="{kind}" x="{x + 20:.1f}" y="{labels[name]:.1f}">{SHORT.get(name, name)}</text>')


def draw(path, title, axis, figures, scale):
    """figures[cpus][transport]; scale(bytes, median) returns the value to draw."""
    scaled = {cpus: {name: [(size, scale(size, value)) for size, value in sorted(points)]
                     for name, points in lines.items()}
              for cpus, lines in figures.items()}
    limits = rounded([value for lines in scaled.values() for points in lines.values() for _, value in points])
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" '
             f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
             style(),
             f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
             f'<text class="title" x="16" y="32">{title}</text>', f'<text x="16" y="52">{axis}</text>']
    for (left, right), (cpus, lines) in zip(PANELS, scaled.items()):
        where = "both processes on one CPU" if cpus == "one CPU" else "each process on its own CPU"
        panel(parts, left, right, where, lines, limits)
    parts.append(f'<text x="16" y="{HEIGHT - 14}">size of a message</text></svg>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n")


def main():
    tsv, latency, throughput = sys.argv[1:]
    figures = read(tsv)
    draw(latency, "Latency of a message and its answer", "microseconds, less is better", figures["latency"],
         lambda size, value: value / 1e3)
    draw(throughput, "Throughput one way, to a fast reader", "MiB per second, more is better", figures["fast reader"],
         lambda size, value: value * size / (1 << 20))


main()
