#!/usr/bin/env python3
"""Measures how the cost of a read grows with the number of articles: uncached, one connection, the median of 200 requests.

    benches/load/growth.py SMALL LARGE [--folder FOLDER]

SMALL and LARGE are numbers of articles, such as 10000 and 1000000. Data sets are made with `masthead demo` where they are
not in FOLDER yet (`data-SMALL`, `data-LARGE`); a hundred thousand articles take some 2.5 GB and minutes to make. In
the end the cache of the large one is filled, and its memory told.
"""

import argparse
import collections
import contextlib
import http.client
import os
import re
import statistics
import tempfile
import time
import urllib.parse

import run

REQUESTS, WARM_UP = 200, 30


def names(articles):
    """What is asked for: the newest article of the generator, and names and words that are frequent and rare in 2,000."""
    cursor, seen = None, []
    for _ in range(min(20, articles // 100)):
        page = run.get_json(f"http://{run.OURS}/v1/articles?limit=100" + (f"&cursor={cursor}" if cursor else ""))
        seen += page["data"]
        cursor = page["page"]["next"]
    tags = collections.Counter(tag["slug"] for article in seen for tag in article["tags"]).most_common()
    words = collections.Counter(word for article in seen for word in set(re.findall(r"[a-z]{5,}", article["headline"].lower())))
    words = words.most_common()
    authors = [byline["author"]["slug"] for article in seen for byline in article["bylines"] if byline["author"]]
    article = next(article for article in seen if article["tags"] and article["section"])
    return article, tags[0][0], tags[-1][0], authors[0], words[0][0], words[-1][0]


def reads(articles):
    article, common, rare, author, frequent, seldom = names(articles)
    section = urllib.parse.quote(article["section"]["path"])
    page = min(5000, articles // 20 - 10)
    return {
        "article by id": f"/v1/articles/{article['id']}",
        "article by slug": f"/v1/articles/{article['slug']}",
        "newest 20": "/v1/articles",
        "newest 20 of a section and those below": f"/v1/articles?section={section}",
        "newest 20 of the most common tag": f"/v1/articles?tag={common}",
        "newest 20 of a rare tag": f"/v1/articles?tag={rare}",
        "newest 20 of an author": f"/v1/articles?author={author}",
        "newest 20 of a section and a type": f"/v1/articles?section={section}&type=news",
        "page 5,000 by cursor, or the last but ten": f"/v1/articles?cursor={run.cursor_at(page)}",
        "RSS": "/feeds/rss.xml",
        "resolve": f"/v1/resolve?path={urllib.parse.quote(article['path'])}",
        "inbound links": f"/v1/articles/{article['id']}/inbound",
        "changes since a cursor": f"/v1/changes?since={articles // 2}",
        "search, a frequent word": f"/v1/articles?q={frequent}",
        "search, a rare word": f"/v1/articles?q={seldom}",
    }


def ask(connection, path):
    """The milliseconds that a request took."""
    begun = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}")
    return (time.perf_counter() - begun) * 1000


def medians(sides):
    """Of each read on both sides, in turn: what else goes on on the machine meets both."""
    medians = {}
    for name in sides[0][1]:
        times = [[ask(connection, paths[name]) for connection, paths in sides] for _ in range(WARM_UP + REQUESTS)]
        medians[name] = [statistics.median(side) for side in zip(*times[WARM_UP:])]
    return medians


def fill_cache(connection):
    """Asks for more articles than the cache can hold, as browsers do."""
    cursor, asked = None, 0
    while asked < 10_000:
        page = run.get_json(f"http://{run.OURS}/v1/articles?limit=100" + (f"&cursor={cursor}" if cursor else ""))
        for article in page["data"]:
            connection.request("GET", f"/v1/articles/{article['id']}", headers={"accept-encoding": "gzip"})
            connection.getresponse().read()
            asked += 1
        cursor = page["page"]["next"]
        if not cursor:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("small", type=int)
    parser.add_argument("large", type=int)
    parser.add_argument("--folder")
    options = parser.parse_args()
    run.build()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as servers:
        sides, started, idle = [], [], []
        for articles, address in ((options.small, run.OURS), (options.large, run.THEIRS)):
            data = os.path.join(options.folder or folder, f"data-{articles}")
            os.makedirs(data, mode=0o700, exist_ok=True)
            run.make_data(data, articles)
            run.OURS = address
            server, seconds = servers.enter_context(run.masthead(data, cache_megabytes=0, log="warn"))
            time.sleep(1)
            started.append(seconds * 1000)
            idle.append(run.resident_megabytes(server.pid))
            sides.append((http.client.HTTPConnection(address), reads(articles)))
        found = medians(sides)
        servers.close()
        with run.masthead(data, log="warn") as (server, _):
            fill_cache(http.client.HTTPConnection(run.OURS))
            full = run.resident_megabytes(server.pid)
    print(f"\nFirst answer after {started[0]:.0f} and {started[1]:.0f} ms; {idle[0]:.0f} and {idle[1]:.0f} MB resident when idle; {full:.0f} MB of "
          f"the large one with the cache full, which is bounded by 64 MB.\n")
    print(f"| read | {options.small:,} articles, ms | {options.large:,} articles, ms | ratio |\n| --- | ---: | ---: | ---: |")
    for name, (one, other) in found.items():
        print(f"| {name} | {one:.2f} | {other:.2f} | {other / one:.2f} |")


if __name__ == "__main__":
    main()
