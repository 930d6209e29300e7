#!/usr/bin/env python3
"""Measures Masthead from outside, against what stands beside this file, on the same data and in one run.

    benches/load/run.py [--articles N] [--seconds S] [--data FOLDER] [--only PART,…]

Parts: cached (against bare.rs: the same bytes from memory), uncached (the cache switched off, against handwritten.rs), write
(create and publish, against the same), mixed (readers while editors write, against readers alone), start (time to the first
answer, memory). Needs `wrk` (Debian: wrk). Builds in
release mode and makes a data set with `masthead demo`; --data keeps it in a folder, or takes the one that is there.

Prints for each read: requests a second, p50 and p99 in ms, CPU µs of the server for each request, and the ratios of
Masthead to the other. CPU time comes from /proc/PID/stat and is the steadiest figure on a shared machine.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELEASE = os.path.join(ROOT, "target", "release")
MASTHEAD = os.path.join(RELEASE, "masthead")
TICKS = os.sysconf("SC_CLK_TCK")
OURS, THEIRS = "127.0.0.1:18480", "127.0.0.1:18481"
PASSWORD = "correct horse battery staple 42"


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_megabytes(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", open(f"/proc/{pid}/status").read()).group(1)) / 1024


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def get_json(url):
    return json.loads(get(url))


@contextlib.contextmanager
def server(arguments, url, environment=None, cwd=None):
    """A server that answers at `url`; yields its process and the seconds that this took."""
    begun = time.monotonic()
    process = subprocess.Popen(arguments, env=environment, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                get(url)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() - begun > 60:
                    sys.exit(f"{arguments[0]} does not answer at {url}")
                time.sleep(0.002)
        yield process, time.monotonic() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def masthead(data, **settings):
    environment = os.environ | {"MASTHEAD_DATA": data, "MASTHEAD_LISTEN": OURS}
    # One client may ask as often as it likes, and is counted all the same.
    environment |= {"MASTHEAD_RATE_LIMIT_ANONYMOUS_READS": "1000000000", "MASTHEAD_RATE_LIMIT_WRITES": "1000000000",
                    "MASTHEAD_RATE_LIMIT_READS": "1000000000"}
    environment |= {f"MASTHEAD_{name.upper()}": str(value) for name, value in settings.items()}
    return server([MASTHEAD, "serve"], f"http://{OURS}/healthz", environment, data)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def warm_up(url):
    subprocess.run(["wrk", "-t1", "-c16", "-d1s", url], check=True, stdout=subprocess.DEVNULL)


def one_second(pid, url):
    before = cpu_seconds(pid)
    out = subprocess.run(["wrk", "-t1", "-c16", "-d1s", "--latency", url], check=True, capture_output=True, text=True).stdout
    spent = cpu_seconds(pid) - before
    if "Non-2xx" in out:
        sys.exit(f"{url} answered errors:\n{out}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    p50, p99 = (milliseconds(re.search(rf"^\s+{share}%\s+(\S+)\s*$", out, re.M).group(1)) for share in (50, 99))
    return requests, spent, p50, p99


def together(turns):
    """The turns of one server as a row: of the percentiles the median, since one bad second is the machine's."""
    requests, spent, p50, p99 = zip(*turns)
    return {"req/s": sum(requests) / len(turns), "p50 ms": statistics.median(p50), "p99 ms": statistics.median(p99),
            "CPU µs": sum(spent) / sum(requests) * 1e6}


def load(seconds, *targets):
    """Each of (process, address) is asked for as many seconds, in turns of one, so that what else the machine does meets all."""
    for _, url in targets:
        warm_up(url)
    turns = [[one_second(pid, url) for pid, url in targets] for _ in range(seconds)]
    return [together(of_one) for of_one in zip(*turns)]


def heading(title):
    print(f"\n## {title}\n\n| what | server | req/s | p50 ms | p99 ms | CPU µs |\n| --- | --- | ---: | ---: | ---: | ---: |")


def compare(name, a, b, other):
    def row(first, server, values, form):
        print(f"| {first} | {server} | " + " | ".join(form(value) for value in values) + " |")
    row(name, "masthead", a.values(), lambda value: f"{value:.2f}" if value < 100 else f"{value:,.0f}")
    row("", other, b.values(), lambda value: f"{value:.2f}" if value < 100 else f"{value:,.0f}")
    row("", "**ratio**", [a[key] / b[key] if b[key] else 0 for key in a], lambda value: f"**{value:.2f}**")
    sys.stdout.flush()


def build():
    command = ["cargo", "build", "--release", "--bin", "masthead", "--example", "handwritten", "--example", "bare"]
    subprocess.run(command, check=True, cwd=ROOT)


def make_data(folder, articles):
    environment = os.environ | {"MASTHEAD_DATA": folder, "MASTHEAD_LOG": "warn"}
    if not os.path.exists(os.path.join(folder, "masthead.db")):
        subprocess.run([MASTHEAD, "migrate"], env=environment, check=True)
        begun = time.monotonic()
        subprocess.run([MASTHEAD, "demo", "--articles", str(articles), "--seed", "1"], env=environment, check=True)
        print(f"`masthead demo` wrote {articles / (time.monotonic() - begun):,.0f} articles a second")
        user = ["user", "add", "--email", "bench@demo.example", "--name", "Bench", "--role", "editor", "--password-stdin"]
        subprocess.run([MASTHEAD, *user], env=environment, input=PASSWORD + "\n", text=True, check=True, stdout=subprocess.DEVNULL)


def make_copy(folder, path):
    """The same articles for the hand-written server: the tables that it reads, each stage with a body of its own, and its own
    search index."""
    tables = ["users", "authors", "sections", "tags", "slugs", "articles", "article_contents", "content_sections", "content_tags",
              "content_bylines", "content_facets", "related_links", "corrections"]
    with sqlite3.connect(path) as copy:
        copy.execute("PRAGMA journal_mode = WAL")
        copy.execute("ATTACH ? AS ours", [os.path.join(folder, "masthead.db")])
        for kind in ("table", "index"):
            made = copy.execute("SELECT tbl_name, sql FROM ours.sqlite_master WHERE type = ? AND sql IS NOT NULL", [kind]).fetchall()
            for table, sql in made:
                if table in tables:
                    copy.execute(sql)
                    if kind == "table":
                        copy.execute(f"INSERT INTO main.{table} SELECT * FROM ours.{table}")
        copy.execute("CREATE TABLE hand_bodies (article_id INTEGER NOT NULL, stage INTEGER NOT NULL, body TEXT NOT NULL, "
                     "PRIMARY KEY (article_id, stage))")
        copy.execute("INSERT INTO hand_bodies SELECT c.article_id, c.stage, b.body FROM ours.article_contents c "
                     "JOIN ours.article_bodies b ON b.article_id = c.article_id AND b.version = c.body_version")
        copy.execute("CREATE VIRTUAL TABLE hand_search USING fts5(headline, standfirst, body, tokenize = "
                     "'unicode61 remove_diacritics 2')")
        rows = copy.execute("SELECT c.article_id, c.headline, c.standfirst, b.body FROM main.article_contents c JOIN hand_bodies b "
                            "USING (article_id, stage) WHERE stage = 1")
        text = lambda body: " ".join(re.sub("<[^>]*>", "", part) for part in re.findall(r'"(?:html|heading)":"([^"]*)"', body))
        copy.executemany("INSERT INTO hand_search (rowid, headline, standfirst, body) VALUES (?, ?, ?, ?)",
                         ((id, headline, standfirst, text(body)) for id, headline, standfirst, body in rows.fetchall()))
        copy.commit()


def reads(articles):
    # One of the generator: those that editors of another part have made have no tags.
    cursor, newest = None, None
    while not newest:
        page = get_json(f"http://{OURS}/v1/articles?limit=100" + (f"&cursor={cursor}" if cursor else ""))
        newest, cursor = next((article for article in page["data"] if article["tags"]), None), page["page"]["next"]
    common = newest["tags"][0]["slug"]
    word = urllib.parse.quote(max(newest["headline"].split(), key=len).strip(",.:?!").lower())
    return newest, common, word


def cursor_at(page, query=""):
    """The cursor of a page of 20, walked to in pages of 100."""
    cursor = None
    for _ in range((page - 1) // 5):
        parameters = f"limit=100{query}" + (f"&cursor={cursor}" if cursor else "")
        cursor = get_json(f"http://{OURS}/v1/articles?{parameters}")["page"]["next"]
    return cursor


def cached(data, options):
    heading("Cached, against a bare Actix server that answers the same bytes")
    with masthead(data) as (ours, _), tempfile.TemporaryDirectory() as folder:
        newest, common, _ = reads(options.articles)
        for name, path in {
            "article by slug": f"/v1/articles/{newest['slug']}",
            "newest 20": "/v1/articles",
            "newest 20 of a tag": f"/v1/articles?tag={common}",
        }.items():
            answer = os.path.join(folder, "answer.json")
            open(answer, "wb").write(get(f"http://{OURS}{path}"))
            with server([os.path.join(RELEASE, "examples", "bare"), answer, THEIRS], f"http://{THEIRS}/") as (bare, _):
                a, b = load(options.seconds, (ours.pid, f"http://{OURS}{path}"), (bare.pid, f"http://{THEIRS}{path}"))
                compare(name, a, b, "bare Actix")
        print(f"\nResident after it: {resident_megabytes(ours.pid):.0f} MB")


def uncached(data, copy, options):
    heading("Uncached, against hand-written SQL")
    with masthead(data, cache_megabytes=0) as (ours, _), \
            server([os.path.join(RELEASE, "examples", "handwritten"), copy, THEIRS], f"http://{THEIRS}/v1/articles") as (theirs, _):
        newest, common, word = reads(options.articles)
        deep = min(200, options.articles // 20)
        for name, (path, other) in {
            "article by slug": (f"/v1/articles/{newest['slug']}",) * 2,
            "article by id": (f"/v1/articles/{newest['id']}",) * 2,
            "newest 20": ("/v1/articles",) * 2,
            "newest 20 of a tag": (f"/v1/articles?tag={common}",) * 2,
            f"page {deep}: cursor, OFFSET": (f"/v1/articles?cursor={cursor_at(deep)}", f"/v1/articles?page={deep}"),
            "search": (f"/v1/articles?q={word}",) * 2,
        }.items():
            a, b = load(options.seconds, (ours.pid, f"http://{OURS}{path}"), (theirs.pid, f"http://{THEIRS}{other}"))
            compare(name, a, b, "hand-written")


def write(data, copy, options):
    heading("Create and publish in one request and in two, one client, synchronous = NORMAL")
    body = [{"heading": "Part", "blocks": [{"type": "paragraph", "html": "The bridge reopened on Monday. " * 8}] * 6}]
    count = 500 * options.seconds

    def client(address, token=None):
        connection = http.client.HTTPConnection(address)
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})

        def post(path, value=None):
            connection.request("POST", path, json.dumps(value) if value is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                sys.exit(f"{path}: {answer.status} {text}")
            return json.loads(text) if text else None
        return post

    def measure(*targets):
        """Each of (process, what to ask it) is asked as often, in turns, so that what else the machine does meets all of them."""
        rounds = 10
        spent, took, times = [0] * len(targets), [0] * len(targets), [[] for _ in targets]
        for turn in range(-1, rounds):
            for place, (pid, once) in enumerate(targets):
                before, begun = cpu_seconds(pid), time.monotonic()
                for number in range(count // rounds):
                    start = time.monotonic()
                    once(number)
                    # The first round is to warm up.
                    if turn >= 0:
                        times[place].append((time.monotonic() - start) * 1000)
                if turn >= 0:
                    spent[place] += cpu_seconds(pid) - before
                    took[place] += time.monotonic() - begun
        for place, sorted_times in enumerate(map(sorted, times)):
            asked = len(sorted_times)
            yield {"req/s": asked / took[place], "p50 ms": sorted_times[asked // 2], "p99 ms": sorted_times[asked * 99 // 100],
                   "CPU µs": spent[place] / asked * 1e6}

    with masthead(data, sqlite_synchronous="normal") as (ours, _), \
            server([os.path.join(RELEASE, "examples", "handwritten"), copy, THEIRS], f"http://{THEIRS}/v1/articles") as (theirs, _):
        token = client(OURS)("/v1/auth/login", {"email": "bench@demo.example", "password": PASSWORD})["access_token"]
        post, other = client(OURS, token), client(THEIRS)
        section = get_json(f"http://{OURS}/v1/sections?limit=1")["data"][0]["id"]

        def article(number, **members):
            return {"headline": f"Bench {time.time_ns()} {number}", "body": body} | members

        def create_then_publish(number):
            made = post("/v1/articles", article(number, section=section))
            post(f"/v1/articles/{made['id']}/publish")

        def create_and_publish(number):
            post("/v1/articles", article(number, section=section, publish={}))
        for name, once in {"create and publish": create_and_publish, "create, then publish": create_then_publish}.items():
            a, b = measure((ours.pid, once), (theirs.pid, lambda number: other("/v1/articles", article(number))))
            compare(name, a, b, "hand-written")


def writer(address, token, section, pause, stop, outcome):
    """An editor who makes, publishes, edits and publishes articles until told to stop, and notes what was answered."""
    connection = http.client.HTTPConnection(address)
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}

    def ask(method, path, value=None, etag=None):
        begun = time.monotonic()
        connection.request(method, path, json.dumps(value), headers | ({"if-match": etag} if etag else {}))
        answer = connection.getresponse()
        text = answer.read()
        outcome.append((answer.status, (time.monotonic() - begun) * 1000))
        stop.wait(pause)
        return (json.loads(text) if answer.status < 300 else {}), answer.headers.get("etag")

    body = [{"blocks": [{"type": "paragraph", "html": "The bridge reopened on Monday. " * 40}]}]
    while not stop.is_set():
        new = {"headline": f"Bench {time.time_ns()}", "section": section, "body": body, "publish": {}}
        made, etag = ask("POST", "/v1/articles", new)
        if etag:
            _, etag = ask("PATCH", f"/v1/articles/{made['id']}", {"standfirst": f"Edited {time.time_ns()}"}, etag)
        if etag:
            ask("POST", f"/v1/articles/{made['id']}/publish", {})


def mixed(data, options):
    heading("16 readers while 4 editors write without a pause, against readers alone; cache off, synchronous = FULL")
    with masthead(data, cache_megabytes=0) as (ours, _):
        newest, common, _ = reads(options.articles)
        credentials = {"email": "bench@demo.example", "password": PASSWORD}
        login = urllib.request.Request(f"http://{OURS}/v1/auth/login", json.dumps(credentials).encode(),
                                       {"content-type": "application/json"})
        token = json.loads(get(login))["access_token"]
        section = get_json(f"http://{OURS}/v1/sections?limit=1")["data"][0]["id"]
        outcome, spent = [], 0.0
        for name, path in {"article by slug": f"/v1/articles/{newest['slug']}", "newest 20": "/v1/articles"}.items():
            url, alone, beside = f"http://{OURS}{path}", [], []
            warm_up(url)
            for _ in range(options.seconds):
                alone.append(one_second(ours.pid, url))
                stop, begun = threading.Event(), time.monotonic()
                editors = [threading.Thread(target=writer, args=(OURS, token, section, 0, stop, outcome)) for _ in range(4)]
                for editor in editors:
                    editor.start()
                beside.append(one_second(ours.pid, url))
                stop.set()
                for editor in editors:
                    editor.join()
                spent += time.monotonic() - begun
            beside, alone = together(beside), together(alone)
            compare(name, beside, alone, "readers alone")
        times = sorted(time for _, time in outcome)
        bad = sum(status >= 400 for status, _ in outcome)
        print(f"\nThe editors had {len(outcome) / spent:.0f} answers a second, p50 {times[len(times) // 2]:.1f} ms, p99 "
              f"{times[len(times) * 99 // 100]:.1f} ms, {bad} of them errors.")


def start(data, options):
    print("\n## Start and memory\n")
    times = []
    for _ in range(5):
        with masthead(data) as (ours, seconds):
            times.append(seconds * 1000)
            time.sleep(1)
            memory = resident_megabytes(ours.pid)
    print(f"First answer after {min(times):.0f} to {max(times):.0f} ms; {memory:.0f} MB resident when idle.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--data")
    parser.add_argument("--only", default="cached,uncached,write,mixed,start")
    options = parser.parse_args()
    parts = options.only.split(",")
    build()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or os.path.join(folder, "data")
        os.makedirs(data, mode=0o700, exist_ok=True)
        make_data(data, options.articles)
        print(f"{options.articles:,} articles, 16 connections, {options.seconds} s each")
        if "start" in parts:
            start(data, options)
        if "cached" in parts:
            cached(data, options)
        copy = os.path.join(folder, "copy.db")
        if "uncached" in parts or "write" in parts:
            make_copy(data, copy)
        if "uncached" in parts:
            uncached(data, copy, options)
        if "write" in parts:
            write(data, copy, options)
        if "mixed" in parts:
            mixed(data, options)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
