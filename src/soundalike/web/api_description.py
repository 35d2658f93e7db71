"""The description of the API for people: a page made from its OpenAPI description, with nothing but text and tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

Values = Mapping[str, Any]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
code { font: 13px ui-monospace, monospace; } table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8884; }
h2 { margin-top: 2rem; } h2 code { font-size: 16px; } .method { font-weight: 600; text-transform: uppercase; }
"""


def description_page(openapi: Values) -> str:
    """The page (HTML) for an OpenAPI description."""
    routes = [
        _route(path, method, values) for path, methods in openapi["paths"].items() for method, values in methods.items()
    ]
    schemas = openapi.get("components", {}).get("schemas", {})
    objects = [_object(name, values) for name, values in sorted(schemas.items())]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>soundalike: the API</title>'
        '<meta name="viewport" content="width=device-width"><style>' + STYLE + "</style></head><body>"
        f"<h1>soundalike {escape(openapi['info']['version'])}: the API</h1>"
        '<p>For programs: <a href="openapi.json">openapi.json</a>. Errors are <code>application/problem+json</code> '
        "with <code>status</code> and <code>detail</code>, the messages of the command line.</p>"
        + "".join(routes)
        + "<h1>Objects</h1>"
        + "".join(objects)
        + "</body></html>\n"
    )


def _route(path: str, method: str, values: Values) -> str:
    rows = [
        (one["name"], one["in"], _type(one["schema"]), "" if one.get("required") else _default(one["schema"]))
        for one in values.get("parameters", [])
    ]
    body = values.get("requestBody", {}).get("content", {})
    rows += [("body", media_type, _type(content.get("schema", {})), "") for media_type, content in body.items()]
    responses = [
        f"{escape(status)}: {_type(content.get('schema', {})) or escape(media_type)}"
        for status, response in values["responses"].items()
        if status != "default"
        for media_type, content in (response.get("content") or {"no body": {}}).items()
    ]
    return (
        f'<h2><span class="method">{escape(method)}</span> <code>{escape(path)}</code></h2>'
        f"<p>{escape(values.get('description', ''))}</p>"
        + _table(("", "in", "type", "default"), rows)
        + f"<p>Responses: {', '.join(responses)}.</p>"
    )


def _object(name: str, values: Values) -> str:
    required = values.get("required", [])
    rows = [
        (field, "required" if field in required else "", _type(schema), "" if field in required else _default(schema))
        for field, schema in values.get("properties", {}).items()
    ]
    return (
        f'<h2 id="{escape(name)}"><code>{escape(name)}</code></h2><p>{escape(values.get("description", ""))}</p>'
        + _table(("field", "", "type", "default"), rows)
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, str, str, str]]) -> str:
    """A table. The third column is HTML already."""
    if not rows:
        return ""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = (
        f"<tr><td><code>{escape(a)}</code></td><td>{escape(b)}</td><td>{c}</td><td>{escape(d)}</td></tr>"
        for a, b, c, d in rows
    )
    return f"<table><tr>{top}</tr>{''.join(lines)}</table>"


def _default(schema: Values) -> str:
    return repr(schema["default"]) if "default" in schema else ""


_BOUNDS = (("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"), ("maxLength", "length ≤"))


def _type(schema: Values) -> str:
    """A schema in short (HTML)."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}"><code>{name}</code></a>'
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(_type(one) for one in schema[key])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"<code>{escape(str(one))}</code>" for one in schema.get("enum", [schema.get("const")]))
    name = escape(str(schema.get("type", "")))
    if "prefixItems" in schema:
        return "[" + ", ".join(_type(one) for one in schema["prefixItems"]) + "]"
    if name == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"by name: {_type(schema['additionalProperties'])}"
    bounds = [f"{sign} {schema[key]}" for key, sign in _BOUNDS if key in schema]
    return name + (f" ({escape(', '.join(bounds))})" if bounds else "")
