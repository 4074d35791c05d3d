"""What every address of the API may answer when it does not answer what was asked: one shape, described once."""

from __future__ import annotations

from typing import Any

ERROR = "Error"
ERROR_SCHEMA = {
    "type": "object",
    "description": "The body of every answer from 400 on.",
    "properties": {
        "code": {"type": "string", "description": "What went wrong, for programs: `invalid`, `not_found`, …"},
        "detail": {"type": "string", "description": "One sentence for a person, in the person's language."},
        "fields": {
            "type": "object",
            "description": "What is wrong with each field of the request; empty unless the code is `invalid`.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "fault": {"type": "string", "description": "Number of the request in the logs; with 503 only."},
    },
    "required": ["code", "detail", "fields"],
}
WORDS = {
    "400": "The request cannot be read, or a field of it is wrong: see `fields`.",
    "401": "Nobody is signed in.",
    "403": "The role, the grant or its purpose does not allow it.",
    "404": "No such record, or none that this person may see: the answer is the same.",
    "429": "Too many attempts; `Retry-After` says when to come back.",
    "503": "The act could not be written to the log (or a key is out of reach), so nothing was shown or changed.",
}
# Answers that the shape of a request cannot foretell, by the operation's name.
_MORE = {"grants_issue": {"404"}, "audit_checkpoint": {"404"}}


def describe_errors(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """A hook for the schema: give every operation the errors that can occur there."""
    result.setdefault("components", {}).setdefault("schemas", {})[ERROR] = ERROR_SCHEMA
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for status in sorted(_errors(path, operation)):
                operation["responses"].setdefault(status, _answer(status))
    return result


def _errors(path: str, operation: dict[str, Any]) -> set[str]:
    found = {"401", "403", "503"} | _MORE.get(operation["operationId"], set())
    if "{" in path:
        found.add("404")
    asked = "requestBody" in operation or any(one["in"] == "query" for one in operation.get("parameters", ()))
    return found | {"400"} if asked else found


def _answer(status: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ERROR}"}}}
    return {"description": WORDS[status], "content": content}
