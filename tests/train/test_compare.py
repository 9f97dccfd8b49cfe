"""``hello-mnist compare``: every combination, each seed, and a fair order."""

import json
from statistics import mean, stdev

import pytest
from conftest import hello_mnist
from rich.console import Console

from study_keras.cli import main
from study_keras.report import terminal
from study_keras.train import sweep

GRID = ["--units", "8", "32,8", "--dropout", "0", "0.5", "--epochs", "2", "--seeds", "2"]


@pytest.mark.slow
def test_every_combination_is_trained_with_every_seed_and_the_best_comes_first(small, tmp_path):
    done = hello_mnist("compare", *GRID, "--data", small, "--output", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    tried = {(tuple(row["settings"]["units"]), row["settings"]["dropout"]): row for row in rows}
    assert set(tried) == {((8,), 0.0), ((8,), 0.5), ((32, 8), 0.0), ((32, 8), 0.5)}
    assert [row["accuracy"] for row in rows] == sorted((row["accuracy"] for row in rows), reverse=True)
    assert tried[(8,), 0.0]["parameters"] == 784 * 8 + 8 + 8 * 10 + 10
    assert all(row["lowest"] <= row["accuracy"] <= row["highest"] for row in rows)
    assert (tmp_path / "hello_mnist_compare.png").stat().st_size > 10_000


def test_a_seed_gives_the_same_in_any_company(small):
    trainings = sweep.combinations({"units": [(8,), (16,)], "epochs": [2]})
    together = {(one["number"], one["seed"]): one for one in sweep.compare(trainings, 2, small)}
    (alone,) = sweep.compare(trainings[1:], 1, small)
    assert together[1, 1]["accuracy"] == alone["accuracy"]
    assert len(together) == 4
    for row in sweep.summarize(trainings, list(together.values())):
        own = [together[row["number"], seed]["accuracy"] for seed in (1, 2)]
        assert (row["accuracy"], row["spread"]) == pytest.approx((mean(own), stdev(own)))


def test_the_table_fits_80_columns_whatever_is_varied(capsys):
    grid = {"units": [(512, 128), (8,)], "activation": ["sigmoid", "relu"], "dropout": [0.2, 0.5]}
    grid |= {"optimizer": ["adam"], "batch_size": [128, 32], "epochs": [10, 5]}
    trainings = sweep.combinations(grid)
    found = {"parameters": 1_669_770, "seconds": 12.3, "accuracy": 0.97}
    results = [{"number": number, "seed": seed, **found} for number in range(len(trainings)) for seed in (1, 2)]
    rows = sweep.summarize(trainings, results)
    kinds = [sweep.varied_settings(trainings[row["number"]], grid) for row in rows]
    Console(width=80).print(terminal.comparison_table(rows, kinds, 2))
    head, first, *_ = capsys.readouterr().out.splitlines()[1:]
    assert head.split() == [
        "units",
        "activation",
        "dropout",
        "batch",
        "size",
        "epochs",
        "parameters",
        "seconds",
        "accuracy",
    ]
    assert first.split() == ["512,128", "sigmoid", "0.2", "128", "10", "1,669,770", "12.3", "0.9700", "±", "0.0000"]


def test_what_keras_does_not_know_is_refused_in_one_line(capsys):
    assert main(["compare", "--activation", "relu", "sigmoyd"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
