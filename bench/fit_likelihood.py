"""The arithmetic of ``bench.fit``, with NumPy and SciPy: called by it, with one JSON file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize


class Model:
    """log-odds of « medical » = slope · logit(σ(clinical) · σ(person)), as in agent.detection.combine."""

    def __init__(self, rows: list[dict[str, Any]], present: dict[str, float], strength: float) -> None:
        self.names = [name for name in present if name != "slope"]
        self.start = np.array([present[name] for name in self.names] + [present["slope"]])
        self.truth = np.array([row["medical"] for row in rows], float)
        matrix = np.array([[self._count(row, name) for name in self.names] for row in rows])
        clinical = np.array([name.startswith("clinical/") for name in self.names])
        self.clinical, self.person = matrix * clinical, matrix * ~clinical
        self.doubt = strength * np.maximum(np.abs(self.start), 0.5)
        self.doubt[-1] = 0.3

    @staticmethod
    def _count(row: dict[str, Any], name: str) -> float:
        return 1.0 if name.endswith("/prior") else row["counted"].get(name, 0.0)

    def odds(self, weights: Any, chosen: Any) -> Any:
        clinical, person = self.clinical[chosen] @ weights[:-1], self.person[chosen] @ weights[:-1]
        product = 1 / (1 + np.exp(-np.clip(clinical, -40, 40))) / (1 + np.exp(-np.clip(person, -40, 40)))
        product = np.clip(product, 1e-9, 1 - 1e-9)
        return weights[-1] * np.log(product / (1 - product))

    def cost(self, weights: Any, chosen: Any) -> float:
        odds = self.odds(weights, chosen)
        loss = np.logaddexp(0, np.where(self.truth[chosen] > 0, -odds, odds)).sum()
        return float(loss + 0.5 * (((weights - self.start) / self.doubt) ** 2).sum())

    def fit(self, chosen: Any) -> Any:
        bounds = [(0.02, None) if value > 0 else (None, -0.02) for value in self.start[:-1]] + [(0.7, 1.8)]
        done = minimize(self.cost, self.start, args=(chosen,), method="L-BFGS-B", bounds=bounds,
                        options={"maxiter": 60, "maxfun": 10**6})  # fmt: skip
        return done.x

    def said(self, weights: Any, chosen: Any) -> Any:
        return self.odds(weights, chosen) > 0


def figures(model: Model, rows: list[dict[str, Any]], odds: Any) -> dict[str, dict[str, str]]:
    table = {}
    for name in sorted({row["set"] for row in rows}):
        inside = np.array([row["set"] == name for row in rows])
        medical = inside & (model.truth > 0)
        other = inside & (model.truth == 0)
        table[name] = {
            "recall": f"{(odds[medical] > 0).sum()}/{medical.sum()}",
            "false": f"{(odds[other] > 0).sum()}/{other.sum()}",
            "log loss": f"{np.logaddexp(0, np.where(model.truth[inside] > 0, -odds[inside], odds[inside])).mean():.4f}",
        }
    return table


def main(path: Path) -> None:
    given = json.loads(path.read_text())
    rows = given["rows"]
    model = Model(rows, given["present"], given["strength"])
    everything = np.ones(len(rows), bool)
    folds = np.array([row["fold"] for row in rows])
    print(f"{len(rows)} documents whose text decides, {int(model.truth.sum())} of them medical")
    left_out = np.zeros(len(rows))
    for fold in sorted(set(folds)):
        left_out[folds == fold] = model.odds(model.fit(folds != fold), folds == fold)
    by_set = np.zeros(len(rows))
    sets = np.array([row["set"] for row in rows])
    for name in sorted(set(sets)):
        by_set[sets == name] = model.odds(model.fit(sets != name), sets == name)
    fitted = model.fit(everything)
    views = {
        "present weights": model.odds(model.start, everything), "fitted, left-out folds": left_out,
        "fitted, left-out sets": by_set, "fitted on all": model.odds(fitted, everything),
    }  # fmt: skip
    for title, odds in views.items():
        print(f"\n{title}")
        for name, row in figures(model, rows, odds).items():
            print(f"  {name[-40:]:<42}" + "  ".join(f"{key} {value}" for key, value in row.items()))
    print("\nweight                       present   fitted   documents")
    for number, name in enumerate([*model.names, "slope"]):
        used = int(((model.clinical + model.person)[:, number] != 0).sum()) if name != "slope" else len(rows)
        print(f"{name:<28}{model.start[number]:>8.2f}{fitted[number]:>9.2f}{used:>12}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
