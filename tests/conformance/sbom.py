#!/usr/bin/env python3
"""Has other people's validators look at bills of materials, CycloneDX 1.7 and SPDX 3.0.1.

    pip install 'cyclonedx-python-lib[json-validation]' spdx3-validate spdx-python-model
    tests/conformance/sbom.py [--shacl-limit BYTES] FILE…

CycloneDX: the strict JSON schema, then the model of cyclonedx-python-lib reads it. SPDX: spdx-python-model reads it and
follows every reference, then spdx3-validate holds it against JSON schema and SHACL. That one fetches both from spdx.org;
where they are out of reach, and for files above the limit (it takes minutes for hundreds of packages), this is skipped and
said. In both formats purls and licences are read by packageurl-python and license-expression.

Exits with 1 if a document is not valid, and with 2 if a validator is not installed.
"""

import argparse
import json
import pathlib
import sys
import urllib.error

try:
    import spdx3_validate
    import spdx_python_model
    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from license_expression import get_spdx_licensing
    from packageurl import PackageURL
except ImportError as error:
    print(f"{error.name} is not installed", file=sys.stderr)
    sys.exit(2)

LICENSING = get_spdx_licensing()


def purl_mistakes(purl, name, version):
    """What is wrong with a purl; it has to name this package."""
    try:
        read = PackageURL.from_string(purl)
    except ValueError as error:
        return [f"{purl}: {error}"]
    named = (read.type, read.name, read.version)
    return [] if named == ("cargo", name, version) else [f"{purl} names {named}, not {name} {version}"]


def expression_mistakes(expression):
    """What is wrong with a licence expression."""
    words = [f"`{word}`" for word in LICENSING.unknown_license_keys(expression) if not word.startswith("LicenseRef-")]
    return [f"{expression}: {', '.join(words)} is no licence of SPDX"] if words else []


def cyclonedx(text):
    """What is wrong with a CycloneDX document, and how many packages it lists."""
    error = JsonStrictValidator(SchemaVersion.V1_7).validate_str(text)
    if error is not None:
        return [str(error)], 0
    document = json.loads(text)
    bom = Bom.from_json(data=document)
    bom.validate()
    components = [document["metadata"]["component"], *document["components"]]
    mistakes = []
    if len(bom.components) + 1 != len(components):
        mistakes.append(f"the model has {len(bom.components)} components, the document {len(components) - 1}")
    for component in components:
        mistakes += purl_mistakes(component["purl"], component["name"], component["version"])
        for choice in component.get("licenses", []):
            mistakes += expression_mistakes(choice.get("expression") or choice.get("license", {}).get("id") or "MIT")
    return mistakes, len(components)


def spdx(text):
    """What is wrong with an SPDX document as the model reads it, and how many packages it lists."""
    model, objects = spdx_python_model.load_data(json.loads(text))
    mistakes = [f"{missing} is not in the document" for missing in objects.link()]
    packages = list(objects.foreach_type(model.software_Package))
    for package in packages:
        mistakes += purl_mistakes(package.software_packageUrl, package.name, package.software_packageVersion)
    for license in objects.foreach_type(model.simplelicensing_LicenseExpression):
        mistakes += expression_mistakes(license.simplelicensing_licenseExpression)
    return mistakes, len(packages)


def spdx_rules(paths):
    """What spdx3-validate says of documents; none if it could not get its rules."""
    try:
        result = spdx3_validate.validate([str(path) for path in paths])
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        print(f"SKIPPED: spdx3-validate cannot fetch its rules: {error}")
        return None
    return [str(error) for error in result.errors]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shacl-limit", type=int, default=200_000, metavar="BYTES")
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    given = parser.parse_args()
    is_valid = True
    small, large = [], 0
    for path in given.files:
        text = path.read_text(encoding="utf-8")
        is_spdx = "@graph" in json.loads(text)
        mistakes, packages = spdx(text) if is_spdx else cyclonedx(text)
        is_valid &= not mistakes
        print(f"{path.name}: {packages} packages, {'valid' if not mistakes else 'NOT VALID'}")
        for mistake in mistakes[:20]:
            print(f"  {mistake}")
        if is_spdx and len(text) <= given.shacl_limit:
            small.append(path)
        elif is_spdx:
            large += 1
    mistakes = spdx_rules(small) if small else None
    if mistakes is not None:
        is_valid &= not mistakes
        print(f"spdx3-validate: {len(small)} documents, {len(mistakes)} mistakes; {large} too large for it")
        for mistake in mistakes[:20]:
            print(f"  {mistake}")
    sys.exit(0 if is_valid else 1)


if __name__ == "__main__":
    main()
