"""Holds Kubernetes manifests against the published schemas, strictly: python manifests.py FILE…"""

import sys

import kubernetes_validate
import yaml

VERSION = "1.30"

count = 0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        for manifest in yaml.safe_load_all(file):
            kubernetes_validate.validate(manifest, VERSION, strict=True)
            count += 1
print(f"{count} manifests")
