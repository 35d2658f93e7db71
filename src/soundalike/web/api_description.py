"""The API described for people: a page made from its OpenAPI description, with nothing in it but text and tables."""

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


def page(described: Values) -> str:
    """The page (HTML) of an OpenAPI description."""
    routes = [
        _route(path, method, values)
        for path, methods in described["paths"].items()
        for method, values in methods.items()
    ]
    schemas = described.get("components", {}).get("schemas", {})
    forms = [_form(name, values) for name, values in sorted(schemas.items())]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>soundalike: the API</title>'
        '<meta name="viewport" content="width=device-width"><style>' + STYLE + "</style></head><body>"
        f"<h1>soundalike {escape(described['info']['version'])}: the API</h1>"
        '<p>For programs: <a href="/api/openapi.json">openapi.json</a>. Errors come as '
        "<code>application/problem+json</code> with <code>status</code> and <code>detail</code>, in the words of the "
        "command line.</p>" + "".join(routes) + "<h1>Forms</h1>" + "".join(forms) + "</body></html>\n"
    )


def _route(path: str, method: str, values: Values) -> str:
    rows = [
        (one["name"], one["in"], _kind(one["schema"]), "" if one.get("required") else _default(one["schema"]))
        for one in values.get("parameters", [])
    ]
    body = values.get("requestBody", {}).get("content", {})
    rows += [("body", kind, _kind(of.get("schema", {})), "") for kind, of in body.items()]
    answers = [
        f"{escape(status)}: {_kind(of.get('schema', {})) or escape(kind)}"
        for status, one in values["responses"].items()
        if status != "default"
        for kind, of in (one.get("content") or {"nothing": {}}).items()
    ]
    return (
        f'<h2><span class="method">{escape(method)}</span> <code>{escape(path)}</code></h2>'
        f"<p>{escape(values.get('description', ''))}</p>"
        + _table(("", "where", "what", "default"), rows)
        + f"<p>Answers: {', '.join(answers)}.</p>"
    )


def _form(name: str, values: Values) -> str:
    needed = values.get("required", [])
    rows = [
        (field, "needed" if field in needed else "", _kind(of), "" if field in needed else _default(of))
        for field, of in values.get("properties", {}).items()
    ]
    return (
        f'<h2 id="{escape(name)}"><code>{escape(name)}</code></h2><p>{escape(values.get("description", ""))}</p>'
        + _table(("field", "", "what", "default"), rows)
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, str, str, str]]) -> str:
    """A table; the third column is HTML already."""
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


def _kind(schema: Values) -> str:
    """A schema in few words (HTML)."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}"><code>{name}</code></a>'
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(_kind(one) for one in schema[word])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"<code>{escape(str(one))}</code>" for one in schema.get("enum", [schema.get("const")]))
    kind = escape(str(schema.get("type", "")))
    if "prefixItems" in schema:
        return "[" + ", ".join(_kind(one) for one in schema["prefixItems"]) + "]"
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"by name: {_kind(schema['additionalProperties'])}"
    bounds = [
        f"{sign} {schema[name]}"
        for name, sign in (
            ("minimum", "≥"),
            ("maximum", "≤"),
            ("minLength", "length ≥"),
            ("maxLength", "length ≤"),
        )
        if name in schema
    ]
    return kind + (f" ({escape(', '.join(bounds))})" if bounds else "")
