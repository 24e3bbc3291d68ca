"""The expression language of templates: a subset of Python, which Python itself compiles and runs.

Why not Jinja2: importing it costs more than rendering a whole cluster, and its compiled expressions need that import
at run time as well. A subset of Python needs nothing but the interpreter, and knows comprehensions and f-strings.
Expressions come from add-on folders only, never from a user's file. ``check`` says whether one is in the language;
tests hold every folder to it, so that a render need not.
"""

from __future__ import annotations

import ast

STRING_METHODS = frozenset(
    {"endswith", "join", "lower", "removeprefix", "removesuffix", "replace", "split", "startswith", "strip", "upper"}
)
_NODES = (
    *(ast.Expression, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice),
    *(ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.Starred),
    *(ast.JoinedStr, ast.FormattedValue, ast.IfExp, ast.Call, ast.keyword),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Mod),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
)


class ExpressionError(ValueError):
    """The text is not an expression of the language; the message says what is wrong."""


def check(text: str) -> None:
    """Raises ExpressionError unless the text is an expression of the language."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"not an expression: {text.strip()} ({getattr(error, 'msg', error)})") from None
    methods = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise ExpressionError(f"{type(node).__name__} is not part of the expression language")
        if isinstance(node, ast.Name) and node.id.startswith("_"):
            raise ExpressionError(f"a name may not start with an underscore: {node.id}")
        if isinstance(node, ast.Call) and not isinstance(node.func, (ast.Name, ast.Attribute)):
            raise ExpressionError("only named functions can be called")
        if isinstance(node, ast.Attribute):
            _check_attribute(node, is_method=id(node) in methods)


def _check_attribute(node: ast.Attribute, *, is_method: bool) -> None:
    """A key of a mapping or a method of text, but nothing of Python's own."""
    if is_method and node.attr not in STRING_METHODS:
        raise ExpressionError(f"the method {node.attr} is not part of the expression language")
    if not is_method and (node.attr.startswith("_") or hasattr(dict, node.attr)):
        raise ExpressionError(f'{node.attr} is not readable as an attribute: write ["{node.attr}"]')
