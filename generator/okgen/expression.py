"""The expression language of templates: a subset of Python, checked node by node and compiled by Python itself.

Why not Jinja2, which the first sketch had: importing it costs more than rendering a whole cluster, and its compiled
expressions need that import at run time as well. A checked subset of Python needs nothing but the interpreter, knows
comprehensions and f-strings, and names the line and column of a mistake. Expressions come from add-on folders only,
never from a user's file; the check keeps them declarative all the same.
"""

from __future__ import annotations

import ast
from typing import TypeVar

Expression = TypeVar("Expression", bound=ast.expr)

STRING_METHODS = frozenset(
    {"endswith", "join", "lower", "removeprefix", "removesuffix", "replace", "split", "startswith", "strip", "upper"}
)
_NODES = (
    *(ast.Name, ast.Load, ast.Store, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred),
    *(ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.GeneratorExp, ast.comprehension),
    *(ast.JoinedStr, ast.FormattedValue, ast.IfExp, ast.Call, ast.keyword),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Mod),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
)


class ExpressionError(ValueError):
    """The text is not an expression of the language; the message says what is wrong."""


class _Checked(ast.NodeTransformer):
    """Refuses what is not in the language and turns ``a.b`` into ``a["b"]``, as values are plain dictionaries."""

    def __init__(self, line: int, column: int) -> None:
        self.line, self.column = line, column

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, _NODES):
            raise ExpressionError(f"{type(node).__name__} is not part of the expression language")
        if isinstance(node, ast.Name) and node.id.startswith("_"):
            raise ExpressionError(f"a name may not start with an underscore: {node.id}")
        if isinstance(node, ast.Call):
            return self._call(node)
        self.generic_visit(node)
        if isinstance(node, ast.Attribute):
            return self._at(ast.Subscript(node.value, self._at(ast.Constant(node.attr)), node.ctx))
        return self._at(node) if isinstance(node, ast.expr) else node

    def _call(self, node: ast.Call) -> ast.AST:
        function = node.func
        if isinstance(function, ast.Attribute):
            if function.attr not in STRING_METHODS:
                raise ExpressionError(f"the method {function.attr} is not part of the expression language")
            function.value = self.visit(function.value)  # type: ignore[assignment]
            self._at(function)
        elif isinstance(function, ast.Name):
            self.visit(function)
        else:
            raise ExpressionError("only named functions can be called")
        node.args = [self.visit(argument) for argument in node.args]  # type: ignore[misc]
        node.keywords = [self.visit(argument) for argument in node.keywords]  # type: ignore[misc]
        return self._at(node)

    def _at(self, node: Expression) -> Expression:
        # The place in the template's file, so that a traceback names it.
        node.lineno = node.end_lineno = self.line
        node.col_offset = node.end_col_offset = self.column - 1
        return node


def parse(text: str, line: int = 1, column: int = 1) -> ast.expr:
    """The syntax tree of an expression, each node at ``line`` and ``column`` of the file it stands in.

    Raises ExpressionError.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"not an expression: {text.strip()} ({getattr(error, 'msg', error)})") from None
    checked = _Checked(line, column).visit(tree)
    assert isinstance(checked, ast.expr)
    return checked
