// SPDX-License-Identifier: Apache-2.0
// The search box of the manual. It finds names, and words of their titles, in search-index.js, without network.
// "/" focuses the box, the arrow keys select a result, Enter opens it, Escape closes the list. An address that ends
// with "#q=words" searches for these words.
(function () {
	"use strict";

	var LIMIT = 30;
	var form = document.getElementById("search");
	var box = document.getElementById("query");
	var list = document.getElementById("results");
	var chosen = -1;

	var entries = mmsysioIndex.map(function (row) {
		var name = row[0].toLowerCase();
		return {
			name: row[0], title: row[1], place: row[2],
			key: name.replace(/\(.*\)$/, ""),
			words: (name + " " + row[1]).toLowerCase().split(/[^a-z0-9]+/)
		};
	});

	// How well an entry matches a word; 0 if it does not.
	function fit(entry, word) {
		var name = word.replace(/\(.*\)?$/, "");
		if (name && (entry.key === name || entry.key === "mm_" + name))
			return 8;
		if (name && (entry.key.indexOf(name) === 0 || entry.key.indexOf("mm_" + name) === 0))
			return 6;
		if (name && entry.key.indexOf(name) > 0)
			return 4;
		if (entry.words.indexOf(word) >= 0)
			return 3;
		return entry.words.some(function (other) { return other.indexOf(word) === 0; }) ? 2 : 0;
	}

	function find(query) {
		var words = query.toLowerCase().split(/\s+/).filter(Boolean);
		var found = [];
		if (words.length === 0)
			return found;
		entries.forEach(function (entry, order) {
			var fits = words.map(function (word) { return fit(entry, word); });
			if (Math.min.apply(null, fits) > 0)
				found.push({ entry: entry, order: order, sum: fits.reduce(function (a, b) { return a + b; }) });
		});
		found.sort(function (a, b) { return b.sum - a.sum || a.order - b.order; });
		return found.slice(0, LIMIT).map(function (one) { return one.entry; });
	}

	function choose(number) {
		var options = list.querySelectorAll("[role=option]");
		if (options.length === 0)
			return;
		chosen = (number + options.length) % options.length;
		options.forEach(function (option, i) {
			option.setAttribute("aria-selected", i === chosen ? "true" : "false");
		});
		box.setAttribute("aria-activedescendant", options[chosen].id);
		options[chosen].scrollIntoView({ block: "nearest" });
	}

	function close() {
		chosen = -1;
		list.hidden = true;
		list.textContent = "";
		box.setAttribute("aria-expanded", "false");
		box.removeAttribute("aria-activedescendant");
	}

	function element(tag, text) {
		var made = document.createElement(tag);
		made.textContent = text;
		return made;
	}

	function show() {
		var found = find(box.value);
		close();
		if (!box.value.trim())
			return;
		found.forEach(function (entry, i) {
			var option = document.createElement("li");
			var link = document.createElement("a");
			option.id = "result-" + i;
			option.setAttribute("role", "option");
			option.setAttribute("aria-selected", "false");
			link.href = entry.place;
			link.tabIndex = -1;
			link.appendChild(element("code", entry.name));
			link.appendChild(element("span", entry.title));
			option.appendChild(link);
			list.appendChild(option);
		});
		if (found.length === 0) {
			list.appendChild(element("li", "Nothing found"));
			list.firstChild.className = "nothing";
			list.firstChild.setAttribute("role", "presentation");
		}
		list.hidden = false;
		box.setAttribute("aria-expanded", "true");
		choose(0);
	}

	box.addEventListener("input", show);
	box.addEventListener("focus", show);
	box.addEventListener("keydown", function (event) {
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			event.preventDefault();
			if (list.hidden)
				show();
			else
				choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
		} else if (event.key === "Escape") {
			event.preventDefault();
			close();
		}
	});
	form.addEventListener("submit", function (event) {
		var option = list.querySelectorAll("[role=option]")[chosen];
		event.preventDefault();
		if (option)
			option.firstChild.click();
	});
	list.addEventListener("click", function () {
		// A result may be on this page.
		box.blur();
		close();
	});
	document.addEventListener("pointerdown", function (event) {
		if (!form.contains(event.target))
			close();
	});
	form.addEventListener("focusout", function (event) {
		if (event.relatedTarget && !form.contains(event.relatedTarget))
			close();
	});
	document.addEventListener("keydown", function (event) {
		if (event.key === "/" && !event.ctrlKey && !event.altKey && !event.metaKey && document.activeElement !== box) {
			event.preventDefault();
			box.focus();
			box.select();
		}
	});

	function searchHash() {
		var found = /^#q=(.*)$/.exec(location.hash);
		if (!found)
			return;
		try {
			box.value = decodeURIComponent(found[1].replace(/\+/g, " "));
		} catch (error) {
			box.value = found[1];
		}
		box.focus();
		show();
	}

	form.hidden = false;
	window.addEventListener("hashchange", searchHash);
	searchHash();
})();
