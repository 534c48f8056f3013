#!/usr/bin/env python3
"""What is built into the program, as a CycloneDX 1.6 document on stdout: `python3 .ci/sbom.py`.

It asks cargo for the resolved graph, so what is told is what is linked on this kind of machine; the
checksums are those of Cargo.lock. Needs no network. With `--check` it only says whether all is known.
"""

import json
import re
import subprocess
import sys
import uuid


def asked(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def checksums():
    found = {}
    for block in open("Cargo.lock", encoding="utf-8").read().split("[[package]]")[1:]:
        field = dict(re.findall(r'^(\w+) = "([^"]*)"$', block, re.M))
        found[field["name"], field["version"]] = field.get("checksum")
    return found


def main():
    host = re.search(r"^host: (\S+)$", asked("rustc", "-vV"), re.M)[1]
    told = json.loads(
        asked("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host)
    )
    packages = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    root = told["resolve"]["root"]

    def below(node):
        for dep in nodes[node]["deps"]:
            if any(kind["kind"] != "dev" for kind in dep["dep_kinds"]):
                yield dep["pkg"]

    reached, queue = {root}, [root]
    while queue:
        for dep in below(queue.pop()):
            if dep not in reached:
                reached.add(dep)
                queue.append(dep)

    sums = checksums()

    def purl(node):
        return "pkg:cargo/{name}@{version}".format(**packages[node])

    def component(node):
        package = packages[node]
        one = {
            "type": "application" if node == root else "library",
            "bom-ref": purl(node),
            "name": package["name"],
            "version": package["version"],
            "purl": purl(node),
            "licenses": [{"expression": (package["license"] or "NOASSERTION").replace("/", " OR ")}],
        }
        if sums.get((package["name"], package["version"])):
            content = sums[package["name"], package["version"]]
            one["hashes"] = [{"alg": "SHA-256", "content": content}]
        return one

    others = sorted(reached - {root}, key=purl)
    unknown = [purl(node) for node in others if "hashes" not in component(node)]
    unlicensed = [purl(node) for node in others if not packages[node]["license"]]
    if unknown or unlicensed:
        sys.exit(f"no checksum: {unknown}; no licence: {unlicensed}")
    if "--check" in sys.argv:
        print(f"{len(others)} crates are built in, each with its checksum and its licence")
        return
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {"component": component(root)},
        "components": [component(node) for node in others],
        "dependencies": [
            {"ref": purl(node), "dependsOn": sorted(set(map(purl, below(node))))}
            for node in [root, *others]
        ],
    }
    json.dump(document, sys.stdout, indent=1)
    print()


main()
