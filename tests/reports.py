"""What the tests of the report formats share: problems, with hostile texts among them."""

from __future__ import annotations

from hypothesis import strategies as st

from okgen.codes import CODES
from okgen.problem import Problem, Related
from okgen.write.drift import Drift

# Characters that mean something to some format, beside any others.
TEXTS = st.text(st.one_of(st.sampled_from("%\r\n:,;&<>\"'[](){}\\]\x1b\x00\u2028"), st.characters()), max_size=60)
# As Python names files: bytes that are no UTF-8 become surrogates; no file name holds NUL.
FILES = st.one_of(
    st.sampled_from(["cluster.yaml", "a b/c%d.yaml", "../elsewhere.yaml"]),
    st.text(
        st.one_of(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), st.just("\udcff")),
        min_size=1,
        max_size=20,
    ),
)
_LINES, _COLUMNS = st.integers(1, 9), st.integers(1, 99)
RELATED = st.builds(Related, FILES, _LINES, _COLUMNS, TEXTS)
PROBLEMS = st.builds(
    Problem,
    FILES,
    _LINES,
    _COLUMNS,
    st.sampled_from(sorted(CODES)),
    st.sampled_from(["error", "warning"]),
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(RELATED, max_size=2).map(tuple),
)
DRIFT = st.builds(Drift, FILES, st.sampled_from(["missing", "stale"]), TEXTS)
