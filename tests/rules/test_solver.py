"""The solver as a process: whole commands in, one answer each out."""

import io

import pytest

from streams.rules.proof.solver import complete_commands, solve

SCRIPT = """(set-logic ALL)
; a comment with a parenthesis (
(declare-datatype Colour (
  (red)
  (green)))
(declare-const one Colour)
(assert (not (= one red)))
(check-sat)
(get-value (one))
(assert (= one red))
(check-sat)
(exit)
(check-sat)
"""


def test_it_answers_each_question_and_stops_at_exit() -> None:
    answers = io.StringIO()
    status = solve(["--lang", "smt", "--tlimit=60000", "--produce-models=true"], io.StringIO(SCRIPT), answers)
    assert (status, answers.getvalue().split("\n")) == (0, ["sat", "((one green))", "unsat", ""])


def test_unreadable_input_is_an_error_and_not_an_answer() -> None:
    answers = io.StringIO()
    assert solve([], io.StringIO("(set-logic ALL)\n(assert (= one two))\n(check-sat)\n"), answers) == 1
    assert answers.getvalue().startswith('(error "Parse Error: ')


@pytest.mark.parametrize(
    ("lines", "commands"),
    [
        (["(a)\n", "(b\n", " c)\n"], ["(a)\n", "(b\n c)\n"]),
        (['(a "(")\n', "(|b)| c)\n"], ['(a "(")\n', "(|b)| c)\n"]),
        (["; (\n", "(a) ; (\n"], ["; (\n(a) ; (\n"]),
        (["(a\n"], []),
    ],
)
def test_a_command_ends_with_its_closing_parenthesis(lines: list[str], commands: list[str]) -> None:
    assert list(complete_commands(lines)) == commands
