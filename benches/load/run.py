#!/usr/bin/env python3
"""Measures reads of Masthead against the hand-written server beside this file, on the same data, in one run.

    benches/load/run.py [--articles N] [--seconds S]

Needs `wrk` (Debian: wrk). Builds both in release mode, makes a data set with `masthead demo`, starts both, and prints
for each read: requests a second, p50 and p99 in ms, CPU µs of the server for each request, and the ratios Masthead to
hand-written. CPU time comes from /proc/PID/stat and is the steadiest figure on a shared machine.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def until_up(url):
    for _ in range(100):
        try:
            return get(url)
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(pid, url, seconds):
    wrk = ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", url]
    subprocess.run(["wrk", "-t1", "-c16", "-d1s", url], check=True, stdout=subprocess.DEVNULL)
    before = cpu_seconds(pid)
    out = subprocess.run(wrk, check=True, capture_output=True, text=True).stdout
    spent = cpu_seconds(pid) - before
    if "Non-2xx" in out:
        sys.exit(f"{url} answered errors:\n{out}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    p50, p99 = (milliseconds(re.search(rf"^\s+{share}%\s+(\S+)$", out, re.M).group(1)) for share in (50, 99))
    return {"rps": requests / seconds, "p50": p50, "p99": p99, "cpu": spent / requests * 1e6}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    subprocess.run(["cargo", "build", "--release", "--bin", "masthead", "--example", "handwritten"], check=True, cwd=ROOT)
    release = os.path.join(ROOT, "target", "release")
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | {"MASTHEAD_DATA": data, "MASTHEAD_LISTEN": "127.0.0.1:18480", "MASTHEAD_LOG": "warn",
                                    "MASTHEAD_RATE_LIMIT_ANONYMOUS_READS": "1000000000"}
        masthead = os.path.join(release, "masthead")
        subprocess.run([masthead, "migrate"], env=environment, check=True)
        subprocess.run([masthead, "demo", "--articles", str(options.articles), "--seed", "1"], env=environment, check=True)
        ours = subprocess.Popen([masthead, "serve"], env=environment, stdout=subprocess.DEVNULL, cwd=data)
        theirs = subprocess.Popen([os.path.join(release, "examples", "handwritten"),
                                   os.path.join(data, "masthead.db"), "127.0.0.1:18481"])
        try:
            until_up("http://127.0.0.1:18480/v1/articles")
            until_up("http://127.0.0.1:18481/v1/articles")
            newest = get("http://127.0.0.1:18480/v1/articles?limit=1")["data"][0]
            reads = {
                "article by slug": f"/v1/articles/{newest['slug']}",
                "newest 20": "/v1/articles",
                "newest 20 of a tag": f"/v1/articles?tag={newest['tags'][0]['slug']}",
            }
            print(f"{options.articles} articles, 16 connections, {options.seconds} s each")
            print(f"{'read':<20} {'server':<12} {'req/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'CPU µs':>7}")
            for name, path in reads.items():
                a = load(ours.pid, f"http://127.0.0.1:18480{path}", options.seconds)
                b = load(theirs.pid, f"http://127.0.0.1:18481{path}", options.seconds)
                for server, row in (("masthead", a), ("handwritten", b)):
                    print(f"{name:<20} {server:<12} {row['rps']:>8.0f} {row['p50']:>7.2f} {row['p99']:>7.2f} {row['cpu']:>7.0f}")
                print(f"{'':<20} {'ratio':<12} {a['rps'] / b['rps']:>8.2f} {a['p50'] / b['p50']:>7.2f} "
                      f"{a['p99'] / b['p99']:>7.2f} {a['cpu'] / b['cpu']:>7.2f}")
        finally:
            for server in (ours, theirs):
                server.send_signal(signal.SIGTERM)
                server.wait(30)


if __name__ == "__main__":
    main()
