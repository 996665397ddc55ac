#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the model of how clients wait for a server, waiting.pml, with spin.

usage: check.py DIRECTORY [NAME...]

Checks that the protocol has no violation in any of the configurations, and that each mutation of the protocol has one
in the configuration listed with it. With names, checks only these configurations and mutations. Prints for each run its
name, its result, the number of states and the duration. Exit status 1: the protocol has a violation, or a mutation has
none.

DIRECTORY receives the results of spin and of the compiler, and a trail of each violation. To print a trail, run in
DIRECTORY/NAME: spin -DDEFINITION... -t -p waiting.pml, with the definitions at the end of the printed line.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "waiting.pml")
JOBS = 2
MEGABYTES = 1800  # of each of the JOBS; a run that needs more fails

# Name, definitions. By default: 3 clients, 2 front slots, a slot behind, and one server of this version. Fewer kills,
# stops and so on than the definitions allow are explored as well: a configuration with several includes those with one.
#
# Clients of 1.0 behind the front slots depend on their polls if a client is killed or a server ends, in that version as
# well. With servers of mmlib, a client that is attached to a stopped one depends on the fallback if another server has
# ended before: nobody else may be left who polls. mmlib-stop therefore has one server.
CONFIGURATIONS = {
    "registering": "SERVERS=0 KILLS=1",
    "registering-clear": "SERVERS=0 FRONT=1 KILLS=1 CLEARS=1",
    "stop": "STOPS=1",
    "kill": "KILLS=1",
    "stop-kill": "FRONT=1 STOPS=1 KILLS=1",
    "stop-kill-none-behind": "FRONT=1 BEHIND=0 STOPS=1 KILLS=1",
    "stop-clear": "FRONT=1 STOPS=1 CLEARS=1",
    "stop-expiry": "FRONT=1 STOPS=1 EXPIRIES=1",
    "clients-4": "CLIENTS=4 FRONT=1 BEHIND=0",
    "two-servers": "SERVERS=2",
    "two-servers-stop": "SERVERS=2 FRONT=1 STOPS=1 CONTINUES",
    "two-servers-kill": "SERVERS=2 FRONT=1 KILLS=1",
    "server-1.0": "SERVER_1_0 SERVERS=2 FRONT=1 STOPS=1",
    "client-1.0": "CLIENTS=2 CLIENTS_1_0=1 STOPS=1",
    "client-1.0-kill": "CLIENTS=2 CLIENTS_1_0=1 POLLS_1_0 SERVERS=2 FRONT=1 STOPS=1 KILLS=1",
    "mmlib-stop": "ANNOUNCES=0 POLLS STOPS=1",
    "mmlib-kill": "ANNOUNCES=0 POLLS SERVERS=2 KILLS=1",
}

# The configuration in which each mutation has a violation.
MUTATIONS = {
    "NO_RETRY": "stop",
    "IN_FRONT_WITHOUT_RETRY": "stop",
    "ATTACHED_WITHOUT_RETRY": "stop",
    "ANCHOR_BEFORE_SLOT": "stop-expiry",
    "ATTACHED_FIRST": "mmlib-stop",
    "ANCHOR_WITHOUT_SLOT": "client-1.0-kill",
    "SLOT_WITHOUT_ANCHOR": "registering-clear",
    "ANCHOR_NEVER_LISTENS": "registering",
    "UNSETTLED_SLEEPS": "stop-kill",
    "SLOT_BEHIND_SUFFICES": "client-1.0-kill",
    "ANCHOR_NOT_CLOSED": "stop-kill-none-behind",
    "SLOT_CLOSED_FIRST": "stop-expiry",
    "SLOT_NOT_POLLED": "stop",
    "END_IGNORED": "stop-kill-none-behind",
    "NOT_SETTLED_AFTER_END": "stop-clear",
    "CLEAR_STOPS_LISTENING": "registering-clear",
    "DRAINED_AFTER_RETRY": "two-servers",
    "NO_POLLS": "mmlib-stop",
    "NO_RELAY": "mmlib-stop",
    "RELAY_ASCENDING": "mmlib-stop",
    "RELAY_ONLY_AFTER_TIMEOUT": "client-1.0",
    "PROBE_BEFORE_LISTEN": "two-servers",
    "FRONT_SLOT_SKIPPED": "kill",
    "ONLY_BEHIND_NOTIFIED": "stop",
    "ONLY_FRONT_NOTIFIED": "stop",
    "ENDS_AT_FREE_SLOT": "kill",
}

INCOMPLETE = re.compile(r"max search depth too small|Search not completed|out of memory|reached -DMEMLIM|VECTORSZ")


def run(directory, name, definitions, is_mutation):
    """Returns whether the model has a violation, the number of states and the duration."""
    work = os.path.join(directory, name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    shutil.copy(SOURCE, work)
    start = time.monotonic()
    is_liveness = "SERVERS=0" in definitions

    def call(*command):
        done = subprocess.run(
            command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, encoding="utf-8"
        )
        with open(os.path.join(work, "log"), "a", encoding="utf-8") as log:
            log.write(" ".join(command) + "\n" + done.stdout)
        if done.returncode != 0 and command[0] != "./pan":
            raise RuntimeError(f"{name}: {command[0]} fails:\n{done.stdout}")
        return done.stdout

    call("spin", *(f"-D{definition}" for definition in definitions), "-a", "waiting.pml")
    # Partial order reduction is not correct with "provided".
    flags = ["-DNOREDUCE", f"-DMEMLIM={MEGABYTES}"] + ([] if is_liveness else ["-DSAFETY"])
    # A mutation takes longer to compile than to run.
    call(os.environ.get("MODEL_CC", "gcc"), "-O0" if is_mutation else "-O1", "-w", *flags, "-o", "pan", "pan.c")
    # -E: the processes of the model do not end. -f: each process that can continue does so at some time.
    output = call("./pan", "-m1000000", "-w22", *(["-a", "-f", "-N", "settles"] if is_liveness else ["-E"]))
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    violation = re.search(r"assertion violated \(|acceptance cycle", output)
    if not errors or not states or (errors.group(1) != "0") != bool(violation):
        raise RuntimeError(f"{name}: unexpected output of the model:\n{output}")
    if not violation and INCOMPLETE.search(output):
        raise RuntimeError(f"{name}: the search is not complete:\n{output}")
    return bool(violation), int(states.group(1)), time.monotonic() - start


def main():
    if len(sys.argv) < 2:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    directory, selected = sys.argv[1], sys.argv[2:]
    runs = [(name, CONFIGURATIONS[name].split(), False) for name in CONFIGURATIONS]
    for name, base in MUTATIONS.items():
        runs.append((name, CONFIGURATIONS[base].split() + [f"MUTATION_{name}"], True))
    unknown = set(selected) - {name for name, _, _ in runs}
    if unknown:
        print(f"check.py: unknown: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    runs = [entry for entry in runs if not selected or entry[0] in selected]
    start = time.monotonic()
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        futures = [pool.submit(run, directory, *entry) for entry in runs]
        for (name, definitions, is_mutation), future in zip(runs, futures):
            try:
                violated, states, seconds = future.result()
            except RuntimeError as error:
                failures += 1
                print(error, flush=True)
                continue
            failures += violated != is_mutation
            result = "ok  " if violated == is_mutation else "FAIL"
            what = "violation" if violated else "no violation"
            defined = " ".join(definitions)
            print(f"{result} {name:24} {what:12} {states:9} states {seconds:5.1f} s  {defined}", flush=True)
    print(f"{len(runs)} runs, {failures} failed, {time.monotonic() - start:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
