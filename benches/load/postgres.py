#!/usr/bin/env python3
"""Measures reads without the cache on PostgreSQL against those on SQLite, in one run, and how soon one node sees what another
has published.

    benches/load/postgres.py [--articles N] [--seconds S]

Starts a PostgreSQL server of Debian's on a folder of its own; run as root, since the server runs as the user `postgres`.
Needs `wrk`, as run.py does.
"""

import argparse
import contextlib
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import run

SECOND = "127.0.0.1:18482"


@contextlib.contextmanager
def postgres(folder):
    """A server; yields the URL of an empty database."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        sys.exit("there is no PostgreSQL server (Debian: postgresql)")
    programs, data = os.path.dirname(found[-1]), os.path.join(folder, "pg")
    os.makedirs(data)
    os.chmod(folder, 0o755)
    shutil.chown(data, "postgres")

    def as_postgres(program, *arguments):
        command = ["runuser", "-u", "postgres", "--", os.path.join(programs, program), *arguments]
        subprocess.run(command, check=True, cwd=data, stdout=subprocess.DEVNULL)

    as_postgres("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D", f"{data}/data")
    settings = f"-c listen_addresses= -c shared_buffers=256MB -k {data}"
    as_postgres("pg_ctl", "start", "-w", "-s", "-D", f"{data}/data", "-l", f"{data}/log", "-o", settings)
    try:
        as_postgres("createdb", "-h", data, "-U", "postgres", "newsroom")
        yield f"postgres:///newsroom?user=postgres&host={data}"
    finally:
        as_postgres("pg_ctl", "stop", "-m", "immediate", "-s", "-D", f"{data}/data")


def make(folder, articles, url=None):
    os.makedirs(folder, mode=0o700)
    if url:
        os.environ["MASTHEAD_DATABASE_URL"] = url
    try:
        run.make_data(folder, articles)
        if url:
            command = [run.MASTHEAD, "search", "rebuild"]
            subprocess.run(command, env=os.environ | {"MASTHEAD_DATA": folder, "MASTHEAD_LOG": "warn"}, check=True)
    finally:
        os.environ.pop("MASTHEAD_DATABASE_URL", None)


def reads_of(address, options):
    run.OURS = address
    newest, common, word = run.reads(options.articles)
    deep = run.cursor_at(min(200, options.articles // 20))
    return {
        "article by slug": f"/v1/articles/{newest['slug']}",
        "newest 20": "/v1/articles",
        "newest 20 of a tag": f"/v1/articles?tag={common}",
        "page 200 by cursor": f"/v1/articles?cursor={deep}",
        "search": f"/v1/articles?q={word}",
    }


def compare_reads(sqlite, data, url, options):
    run.heading("Uncached on PostgreSQL, against SQLite")
    first = run.OURS
    with run.masthead(sqlite, cache_megabytes=0) as (on_sqlite, _), contextlib.ExitStack() as stack:
        run.OURS = SECOND
        on_postgres, _ = stack.enter_context(run.masthead(data, cache_megabytes=0, database_url=url))
        # The same seed makes the same newsroom, but for ids.
        ours, theirs = reads_of(SECOND, options), reads_of(first, options)
        for name, path in ours.items():
            a, b = run.load(options.seconds, (on_postgres.pid, f"http://{SECOND}{path}"),
                            (on_sqlite.pid, f"http://{first}{theirs[name]}"))
            run.compare(name, a, b, "on SQLite")
    run.OURS = first


def measure_coherence(folder, url, rounds=100):
    """How long after a publication is acknowledged by one node the other still answers without it."""
    first, second = os.path.join(folder, "first"), os.path.join(folder, "second")
    for path in (first, second):
        os.makedirs(path, mode=0o700)
    with run.masthead(first, database_url=url, node=1), contextlib.ExitStack() as stack:
        one, run.OURS = run.OURS, SECOND
        stack.enter_context(run.masthead(second, database_url=url, node=2))
        run.OURS = one

        def post(path, value, token=None):
            headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
            request = urllib.request.Request(f"http://{run.OURS}{path}", json.dumps(value).encode(), headers)
            return json.loads(run.get(request))

        token = post("/v1/auth/login", {"email": "bench@demo.example", "password": run.PASSWORD})["access_token"]
        section = run.get_json(f"http://{run.OURS}/v1/sections?limit=1")["data"][0]["id"]
        body = [{"blocks": [{"type": "paragraph", "html": "The bridge reopened on Monday."}]}]
        times = []
        for number in range(rounds):
            run.get(f"http://{SECOND}/v1/articles")
            new = {"headline": f"Bench {number}", "section": section, "body": body, "publish": {}}
            made = post("/v1/articles", new, token)
            begun = time.monotonic()
            while run.get_json(f"http://{SECOND}/v1/articles")["data"][0]["id"] != made["id"]:
                pass
            times.append((time.monotonic() - begun) * 1000)
        times.sort()
        print(f"\nA publication on one node was seen on the other after {times[rounds // 2]:.0f} ms in the median, "
              f"{times[-1]:.0f} ms at most, of {rounds}; both with the cache on.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    run.build()
    with tempfile.TemporaryDirectory() as folder, postgres(folder) as url:
        sqlite, data = os.path.join(folder, "on-sqlite"), os.path.join(folder, "on-postgres")
        make(sqlite, options.articles)
        make(data, options.articles, url)
        compare_reads(sqlite, data, url, options)
        measure_coherence(folder, url)


if __name__ == "__main__":
    main()
