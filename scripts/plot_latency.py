#!/usr/bin/env python3
"""Draws how the time of a run grows with its multiply-accumulates, its batch and its threads, as one SVG.

  scripts/plot_latency.py [--qat-eval PROGRAM] [--threads N] [--repeat N] -o FILE.svg MODEL.tflite ...

Models whose name ends in .float32.tflite are drawn as floats, all others as integers. Each is measured by qat-eval bench
alone in its process: on one thread with 1, 2, 4, 8, 16 and 32 examples, and on 1 to N threads with 32. Times are the medians of
Invoke. Exit status: 0, 1 where qat-eval fails, 2 on wrong usage.
"""
import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
from xml.sax.saxutils import escape

BATCHES = [1, 2, 4, 8, 16, 32]
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f"]  # Okabe and Ito
PANEL_W, PANEL_H, LEFT, TOP, GAP = 330, 300, 70, 60, 75


# --- measuring --------------------------------------------------------------------------------------------------------


def name_of(model):
    return pathlib.Path(model).name.removesuffix(".tflite")


def is_float(name):
    return name.endswith(".float32")


def bench(arguments, model, threads, batch):
    """[(batch, microseconds, multiply-accumulates)], batch 1 first."""
    command = [arguments.qat_eval, "bench", model, "--threads", str(threads), "--repeat", str(arguments.repeat),
               "--json", "-", "--progress", "none"] + (["--batch", str(batch)] if batch > 1 else [])
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {result.returncode}: {result.stderr.strip()}")
    rows = json.loads(result.stdout)["benchmarks"]
    return [(row["batch"], row["latency_us"]["p50"], row["macs"]) for row in rows]


def measure(arguments, model):
    by_batch = {}
    for batch in BATCHES[1:]:
        for examples, time, macs in bench(arguments, model, 1, batch):
            by_batch.setdefault(examples, []).append((time, macs))
    times = {examples: min(found) for examples, found in by_batch.items()}
    by_threads = {1: times[BATCHES[-1]][0]}
    for threads in range(2, arguments.threads + 1):
        by_threads[threads] = bench(arguments, model, threads, BATCHES[-1])[-1][1]
    return {"macs": times[1][1], "batches": {examples: time for examples, (time, _) in times.items()}, "threads": by_threads}


# --- drawing ----------------------------------------------------------------------------------------------------------


class Axis:
    """One axis of a panel; logarithmic with ticks at powers of ten, or with the given ticks."""

    def __init__(self, values, ticks=None, linear=False):
        self.linear = linear
        if ticks is None:
            low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
            ticks = [10.0**power for power in range(low, max(high, low + 1) + 1)]
        self.ticks = ticks
        ends = [self.scaled(ticks[0]), self.scaled(ticks[-1])]
        self.low, self.width = ends[0], max(ends[1] - ends[0], 1e-9)

    def scaled(self, value):
        return value if self.linear else math.log10(value)

    def at(self, value):
        """0 at the first tick, 1 at the last."""
        return (self.scaled(value) - self.low) / self.width


def number(value):
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g} {unit}"
    return f"{value:g}"


def text(x, y, content, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>{escape(content)}</text>'


class Panel:
    def __init__(self, position, title, x_label, y_label, x, y):
        self.left, self.x, self.y = LEFT + position * (PANEL_W + GAP), x, y
        self.lines = [text(self.left + PANEL_W / 2, TOP - 14, title, size=14, extra=' font-weight="bold"')]
        middle = TOP + PANEL_H / 2
        self.lines.append(text(self.left + PANEL_W / 2, TOP + PANEL_H + 42, x_label))
        self.lines.append(text(self.left - 52, middle, y_label,
                               extra=f' transform="rotate(-90 {self.left - 52:.1f} {middle:.1f})"'))
        for tick in x.ticks:
            self.rule(self.place(tick, y.ticks[0]), self.place(tick, y.ticks[-1]))
            self.lines.append(text(self.place(tick, y.ticks[0])[0], TOP + PANEL_H + 19, number(tick)))
        for tick in y.ticks:
            self.rule(self.place(x.ticks[0], tick), self.place(x.ticks[-1], tick))
            self.lines.append(text(self.left - 8, self.place(x.ticks[0], tick)[1] + 4, number(tick), "end"))

    def place(self, x, y):
        return self.left + self.x.at(x) * PANEL_W, TOP + (1 - self.y.at(y)) * PANEL_H

    def rule(self, start, end):
        self.lines.append(f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
                          'stroke="#d0d0d0"/>')

    def dot(self, x, y, colour, hollow):
        fill = "#ffffff" if hollow else colour
        px, py = self.place(x, y)
        self.lines.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4.5" fill="{fill}" stroke="{colour}" stroke-width="2"/>')

    def line(self, points, colour, dashed):
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.place(*point) for point in points))
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.lines.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')

    def curve(self, points, colour, hollow):
        self.line(points, colour, hollow)
        for x, y in points:
            self.dot(x, y, colour, hollow)


def macs_panel(measured):
    points = {name: (row["macs"], row["batches"][1]) for name, row in measured.items()}
    x, y = Axis([p[0] for p in points.values()]), Axis([p[1] for p in points.values()])
    return Panel(0, "One image, one thread", "multiply-accumulates", "median time, µs", x, y), {
        name: [point] for name, point in points.items()}


def batch_panel(measured):
    curves = {name: [(batch, time / batch / row["batches"][1]) for batch, time in sorted(row["batches"].items())]
              for name, row in measured.items()}
    top = max(1.0, *(y for curve in curves.values() for _, y in curve))
    y = Axis([], [0.2 * i for i in range(math.ceil(top / 0.2) + 1)], linear=True)
    return Panel(1, "Batch, one thread", "images in a batch", "time per image / time of a single image", Axis([], BATCHES), y), curves


def threads_panel(measured):
    curves = {name: [(threads, row["threads"][1] / time) for threads, time in sorted(row["threads"].items())]
              for name, row in measured.items()}
    most = max(threads for curve in curves.values() for threads, _ in curve)
    top = max(most, math.ceil(max(y for curve in curves.values() for _, y in curve)))
    return Panel(2, f"Threads, batch {BATCHES[-1]}", "threads", "speed-up over one thread",
                 Axis([], list(range(1, most + 1)), linear=True), Axis([], list(range(top + 1)), linear=True)), curves


def colours(names):
    """A network has one colour, whatever its type."""
    networks = list(dict.fromkeys(name.split(".uint8")[0].split(".int8")[0].split(".float32")[0] for name in names))
    return {name: COLOURS[next(i for i, n in enumerate(networks) if name.startswith(n)) % len(COLOURS)] for name in names}


def legend(names, colour, top):
    lines, rows = [], math.ceil(len(names) / 3)
    for i, name in enumerate(names):
        x, y = LEFT + i // rows * (PANEL_W + GAP), top + i % rows * 20
        fill = "#ffffff" if is_float(name) else colour[name]
        lines.append(f'<circle cx="{x:.1f}" cy="{y - 4:.1f}" r="4.5" fill="{fill}" stroke="{colour[name]}" stroke-width="2"/>')
        lines.append(text(x + 12, y, name, "start"))
    return lines


def draw(measured, note):
    colour = colours(measured)
    panels = [macs_panel(measured), batch_panel(measured), threads_panel(measured)]
    for panel, curves in panels:
        for name, points in curves.items():
            panel.curve(points, colour[name], is_float(name))
    width = LEFT + 3 * PANEL_W + 2 * GAP + 25
    legend_top = TOP + PANEL_H + 75
    height = legend_top + (len(measured) + 2) // 3 * 20 + 20
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" fill="#202020">', f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for panel, _ in panels:
        lines += panel.lines
    lines += legend(measured, colour, legend_top)
    lines.append(text(LEFT, height - 12, note, "start", 11))
    return "\n".join([*lines, "</svg>"]) + "\n"


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL.tflite")
    parser.add_argument("--qat-eval", default="build/bin/qat-eval", help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 1, 8), help="largest number of threads (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=20, help="rounds of each measurement (default: %(default)s)")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.svg")
    arguments = parser.parse_args()
    if arguments.threads < 1:
        parser.error(f"--threads is {arguments.threads}, expected at least 1")
    return arguments


def main():
    arguments = parse_arguments()
    measured = {name_of(model): measure(arguments, model) for model in arguments.models}
    note = f"{cpu_name()}; filled, solid: integers; hollow, dashed: float32"
    pathlib.Path(arguments.output).write_text(draw(measured, note), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
