"""Random valid contract functions from a seed: for comparing the engine with Python, and Pythons with each other.

A program is one action `f(a: int, b: int, s: Text, xs: list[int])` that uses the plain part of the language.
The same text runs in Python itself when `f` is called with plain values.
"""

from random import Random

INTEGERS = ("a", "b", "c", "n")
TEXTS = ("s", "t")


def program(seed: int) -> str:
    """Return the text of one function, without its decorator."""
    return _Writer(Random(seed)).function()


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: list[str] = []
        self.counters = 0

    def function(self) -> str:
        self.lines = ["def f(a: int, b: int, s: Text, xs: list[int]):"]
        self.write(1, "c = 1", "n = 0", "t = 'x'", "ys = [3, 1, 2]", "d = {'k': 1}")
        for _ in range(self.random.randint(2, 7)):
            self.statement(1)
        self.write(1, "return [a, b, c, n, s, t, xs, ys, [key for key in d], [d[key] for key in d]]")
        return "\n".join(self.lines) + "\n"

    def write(self, depth: int, *lines: str) -> None:
        self.lines.extend("    " * depth + line for line in lines)

    def pick(self, *choices):
        return self.random.choice(choices)

    def statement(self, depth: int) -> None:
        kinds = ["set", "set", "grow", "item", "text", "if", "for", "while", "dict", "pairs", "unpack"]
        kind = self.random.choice(kinds if depth < 4 else kinds[:5])
        match kind:
            case "set":
                name = self.random.choice(INTEGERS)
                self.write(
                    depth,
                    self.pick(
                        f"{name} = {self.number(2)}", f"{name} {self.pick('+', '-')}= {self.number(1)}"
                    ),
                )
            case "grow":
                items = self.pick("xs", "ys")
                self.write(
                    depth,
                    self.pick(
                        f"{items}.append({self.number(1)})",
                        f"{items} += [{self.number(1)}]",
                        f"{items} = {items} + [{self.number(1)}]",
                        f"{items} = [q * 2 for q in {items} if q > {self.number(1)}]",
                        f"{items} = sorted({items})",
                        f"{items} = {items}[{self.pick('', '1', '-2')}:{self.pick('', '2', '-1')}]",
                        f"{items}.insert({self.pick('0', '1', '-1')}, {self.number(1)})",
                    ),
                )
            case "item":
                items = self.pick("xs", "ys")
                index = self.pick("0", "1", "-1", "2", "n")
                self.write(
                    depth,
                    self.pick(
                        f"{items}[{index}] = {self.number(1)}",
                        f"{items}[{index}] += {self.number(1)}",
                        f"{items}.pop({index})",
                    ),
                )
            case "text":
                name = self.random.choice(TEXTS)
                self.write(depth, f"{name} = {self.text(1)}")
            case "if":
                self.write(depth, f"if {self.test(2)}:")
                self.statement(depth + 1)
                if self.random.random() < 0.4:
                    self.write(depth, f"elif {self.test(1)}:")
                    self.statement(depth + 1)
                if self.random.random() < 0.5:
                    self.write(depth, "else:")
                    self.statement(depth + 1)
            case "for":
                source = self.pick("range(3)", "range(5, 0, -2)", "xs", "ys", "s", "d", "enumerate(ys)")
                target = "i, j" if "enumerate" in source else self.pick("i", "j")
                items = f"list({source})" if source in ("xs", "ys") else source
                self.write(depth, f"for {target} in {items}:")
                self.statement(depth + 1)
                if self.random.random() < 0.3:
                    self.write(depth + 1, f"if {self.test(1)}:", f"    {self.pick('break', 'continue')}")
            case "while":
                counter = f"w{self.counters}"
                self.counters += 1
                self.write(
                    depth,
                    f"{counter} = 0",
                    f"while {counter} < {self.random.randint(1, 4)}:",
                    f"    {counter} += 1",
                )
                self.statement(depth + 1)
            case "dict":
                key = self.pick("'k'", "s", "t", "'z'")
                self.write(
                    depth,
                    self.pick(
                        f"d[{key}] = {self.number(1)}",
                        f"d[{key}] += {self.number(1)}",
                        f"n = len(d) + d.get({key}, 0)",
                        "d = {q: len(q) for q in [s, t]}",
                    ),
                )
            case "pairs":
                self.write(
                    depth,
                    self.pick(
                        "ys = [q + r for q in xs for r in ys if q != r][:5]",
                        "ys = [q - r for q, r in zip(xs, ys)]",
                        "n = len([q for q in xs if q in ys])",
                    ),
                )
            case _:
                self.write(depth, self.pick("a, b = b, a", "a, (b, c) = c, (a, b)", "a = b = c"))

    def number(self, depth: int) -> str:
        if depth == 0:
            return self.pick("0", "1", "2", "7", "-3", *INTEGERS)
        left, right = self.number(depth - 1), self.number(depth - 1)
        return self.pick(
            left,
            f"({left} + {right})",
            f"({left} - {right})",
            f"({left} * {right})",
            f"({left} // {right})",
            f"({left} % {right})",
            f"-{self.pick(*INTEGERS)}",
            f"({left}) ** {self.pick('0', '2', '3')}",
            f"max({left}, {right})",
            f"min({left}, {right})",
            f"({left} if {self.test(depth - 1)} else {right})",
            f"len({self.pick('xs', 'ys', 's', 't', 'd')})",
            f"({left} and {right})",
            f"({left} or {right})",
        )

    def text(self, depth: int) -> str:
        if depth == 0:
            return self.pick("s", "t", "'ab'", "''", "'x-y-z'")
        left, right = self.text(depth - 1), self.text(depth - 1)
        return self.pick(
            f"{left} + {right}",
            f"{left} * 2",
            f"f'{{{self.pick(*INTEGERS)}}}-{{s}}'",
            f"str({self.number(1)})",
            f"{left}[:1]",
            f"{left}[1:][::-1]",
            f"'-'.join({left}.split('-'))",
            f"{left}.replace('x', {right})",
            f"({left} if {self.test(0)} else {right})",
        )

    def test(self, depth: int) -> str:
        if depth == 0:
            return self.pick("a < b", "n == 0", "s != t", "a in xs", "'k' in d", "xs == ys", "not xs", "s")
        left, right = self.number(depth - 1), self.number(depth - 1)
        return self.pick(
            f"{left} {self.pick('<', '<=', '==', '!=', '>', '>=')} {right}",
            f"{left} < {right} <= {self.number(0)}",
            f"({self.test(depth - 1)} and {self.test(depth - 1)})",
            f"({self.test(depth - 1)} or {self.test(depth - 1)})",
            f"not {self.test(0)}",
            f"{left} not in ys",
            f"s.startswith({self.text(0)})",
            f"{self.text(0)} < {self.text(0)}",
        )
