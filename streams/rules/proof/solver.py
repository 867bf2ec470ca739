"""The SMT solver as a process: reads SMT-LIB commands from standard input, answers on standard output.

Cedar's analyser wants the executable ``cvc5``. The cvc5 package carries the solver as a library only, so this module
is used in place of the executable: ``python -m streams.rules.proof.solver --lang smt --tlimit=60000``.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import cvc5  # type: ignore[import-untyped]


def solve(arguments: Sequence[str], commands: TextIO, answers: TextIO) -> int:
    """Carry out the commands until they end. Returns the exit status.

    ``--name=value`` sets the solver's option of that name; ``--lang smt`` is the default. An error ends it,
    as it ends the executable: the answer is the error's text, which the analyser does not accept as an answer.
    """
    solver = cvc5.Solver()
    for name, found, value in (argument.removeprefix("--").partition("=") for argument in arguments):
        if found:
            solver.setOption(name, value)
    solver.setOption("incremental", "true")
    parser = cvc5.InputParser(solver)
    try:
        for text in complete_commands(commands):
            parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "standard input")
            command = parser.nextCommand()
            answers.write(command.invoke(solver, parser.getSymbolManager()))
            answers.flush()
            if command.getCommandName() == "exit":
                break
    except RuntimeError as error:
        words = str(error).replace('"', "'").replace("\n", " ")
        answers.write(f'(error "Parse Error: {words}")\n')
        return 1
    return 0


def complete_commands(lines: Iterable[str]) -> Iterator[str]:
    """Lines joined to whole commands: the parser wants one at a time, the analyser waits for each answer.

    A command ends with the line on which its parentheses close, those in strings, quoted names and comments aside.
    """
    text, depth, quote, begun = "", 0, "", False
    for line in lines:
        text += line
        for character in line:
            if quote:
                quote = "" if character == quote else quote
            elif character in '"|':
                quote = character
            elif character == ";":
                break
            else:
                depth += (character == "(") - (character == ")")
                begun = begun or character == "("
        if begun and depth == 0 and not quote:
            yield text
            text, begun = "", False


if __name__ == "__main__":
    sys.exit(solve(sys.argv[1:], sys.stdin, sys.stdout))
