#!/usr/bin/env python3
"""Derives facts.json from an OpenAPI description: derive.py support.yaml > facts.json

Kept are paths, methods, statuses, and of the answers' schemas names, types, what is required and what is one of a few values, as JSON
Schema (2020-12). Neither descriptions nor examples nor anything else that somebody wrote for people is kept, and nothing of requests.
"""

import json
import sys

import yaml

METHODS = ("get", "post", "put", "patch", "delete")
KEPT = ("type", "required", "enum", "format", "minimum", "maximum", "minItems", "maxItems")
FORMATS = ("date-time",)


class Loader(yaml.CSafeLoader):
    """Takes a bare `=` for the text it is."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def name_of(reference):
    return reference.rsplit("/", 1)[1]


def schema(found):
    """A schema without its prose, null said as a type."""
    if not isinstance(found, dict):
        return True
    if "$ref" in found:
        return {"$ref": "#/$defs/" + name_of(found["$ref"])}
    kept = {key: found[key] for key in KEPT if key in found}
    if kept.get("format") not in FORMATS:
        kept.pop("format", None)
    if not kept.get("required", True):
        del kept["required"]
    if "properties" in found:
        kept["properties"] = {name: schema(of) for name, of in found["properties"].items()}
    if "items" in found:
        kept["items"] = schema(found["items"])
    if isinstance(found.get("additionalProperties"), dict):
        kept["additionalProperties"] = schema(found["additionalProperties"]) or True
    elif found.get("additionalProperties") is True:
        kept["additionalProperties"] = True
    for way in ("allOf", "anyOf", "oneOf"):
        if way in found:
            kept[way] = [schema(of) for of in found[way]]
    if found.get("nullable"):
        if isinstance(kept.get("type"), str):
            kept["type"] = [kept["type"], "null"]
        if "enum" in kept and None not in kept["enum"]:
            kept["enum"] = kept["enum"] + [None]
    return kept


def references(found):
    if isinstance(found, dict):
        if "$ref" in found:
            yield name_of(found["$ref"])
        for of in found.values():
            yield from references(of)
    elif isinstance(found, list):
        for of in found:
            yield from references(of)


def answers(operation, components):
    """Status -> schema of the JSON that comes with it, or null for an answer without."""
    found = {}
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            answer = components["responses"][name_of(answer["$ref"])]
        content = answer.get("content", {}).get("application/json")
        found[status] = schema(content["schema"]) if content and "schema" in content else None
    return found


def main(path):
    with open(path, encoding="utf-8") as file:
        description = yaml.load(file, Loader=Loader)
    components = description["components"]
    paths = {
        path: {method: answers(of[method], components) for method in METHODS if method in of}
        for path, of in sorted(description["paths"].items())
    }
    wanted, defs = list(references(paths)), {}
    while wanted:
        name = wanted.pop()
        if name not in defs:
            defs[name] = schema(components["schemas"][name])
            wanted.extend(references(defs[name]))
    facts = {
        "title": description["info"]["title"],
        "version": description["info"]["version"],
        "paths": paths,
        "$defs": dict(sorted(defs.items())),
    }
    print(laid_out(facts))


def laid_out(facts):
    """One line a path and one a schema, so that a change shows what changed."""

    def line(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def part(value):
        if not isinstance(value, dict):
            return line(value)
        return "{\n" + ",\n".join(line(name) + ":" + line(of) for name, of in value.items()) + "\n}"

    return "{\n" + ",\n".join(line(name) + ":" + part(of) for name, of in facts.items()) + "\n}"


main(sys.argv[1])
