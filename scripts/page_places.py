#!/usr/bin/env python3
"""Replaces the text between the lines "<!-- NAME -->" and "<!-- end -->" of a page.

  scripts/page_places.py PAGE NAME < TEXT

Exit status: 0; 2 if the page has no such place.
"""
import pathlib
import sys


def page_parts(page, name):
    """The text before and after the place; None if the page has none."""
    begin, end = f"<!-- {name} -->\n", "<!-- end -->\n"
    before, found, rest = pathlib.Path(page).read_text(encoding="utf-8").partition(begin)
    _, ends, after = rest.partition(end)
    return (before + begin, end + after) if found and ends else None


def put_into_page(page, name, text):
    before, after = page_parts(page, name)
    pathlib.Path(page).write_text(before + text + after, encoding="utf-8")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    if page_parts(sys.argv[1], sys.argv[2]) is None:
        print(f"page_places.py: {sys.argv[1]}: has no place '{sys.argv[2]}'", file=sys.stderr)
        return 2
    put_into_page(sys.argv[1], sys.argv[2], sys.stdin.read())
    return 0


if __name__ == "__main__":
    sys.exit(main())
