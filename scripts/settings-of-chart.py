"""Prints settings.toml of one config map of a rendered chart.

usage: settings-of-chart.py RENDERED NAME
"""

import re
import sys

rendered, name = sys.argv[1:]
for document in open(rendered, encoding="utf-8").read().split("\n---\n"):
    if "kind: ConfigMap" not in document or f"\n  name: {name}\n" not in document:
        continue
    (block,) = re.findall(r"^  settings\.toml: \|\n((?:    .*\n|\n)+)", document + "\n", re.M)
    sys.stdout.write(re.sub(r"^    ", "", block, flags=re.M))
    sys.exit(0)
sys.exit(f"no config map {name} in {rendered}")
