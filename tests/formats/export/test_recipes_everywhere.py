"""The networks of the recipes in every format of `hello-mnist run`, each within the thresholds in each runtime."""

from pathlib import Path

import keras
import pytest

from study_keras import formats, mnist
from study_keras.formats.everywhere.variants import VARIANTS
from study_keras.formats.verify import verify_all
from study_keras.report import evaluation
from study_keras.runtimes.program import allow_code
from study_keras.train import artifacts, models, recipes
from study_keras.train.fit import set_seed, train

BATCH, TESTED = 50, 1000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count", "epochs"),
    [("cnn", 2000, 2), ("best", 2000, 2), ("tiny", 6000, 6)],
)
def test_a_convolutional_network_answers_everywhere_as_in_keras(tmp_path, name, count, epochs):
    (x_train, y_train), (images, labels) = mnist.load_data()
    recipe = recipes.RECIPES[name]
    set_seed(1)
    model = models.build(recipe)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.8  # so that its statistics follow within a few steps
    models.compile(model, rate=recipe.rate, steps=epochs * count // BATCH, betas=recipe.betas)
    train(model, x_train[:count], y_train[:count], epochs=epochs, batch_size=BATCH, seed=1)
    path = formats.save(model, tmp_path / f"{name}.keras")
    paths = artifacts.save_all(model, path, evaluation.to_model_inputs(model, x_train[:500]))
    assert len(paths) == sum(variant.in_run for variant in VARIANTS) + 1
    inputs = evaluation.to_model_inputs(model, images[:TESTED])
    with allow_code():  # the programs were written just now
        rows = verify_all(model, paths, inputs, labels[:TESTED], everywhere=True)
    assert rows[0]["accuracy"] > 0.9  # a trained network, whose classes are apart
    failed = [(Path(row["artifact"]).name, row.get("error", row.get("agree"))) for row in rows if not row["passed"]]
    assert not failed
    assert len({row["runtime"] for row in rows}) >= 12
