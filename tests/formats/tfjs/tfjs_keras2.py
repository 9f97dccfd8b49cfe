"""Writes a Keras 2 model as the first TF.js converter did, and an example. Usage: tfjs_keras2.py FOLDER."""

import json
import sys
from pathlib import Path

import numpy as np
import tf_keras
from tf_keras import layers

tf_keras.utils.set_random_seed(0)
image, words = tf_keras.Input((9, 9, 2), name="image"), tf_keras.Input((6,), dtype="int32", name="words")
tower = tf_keras.Sequential(
    [
        layers.DepthwiseConv2D(3, input_shape=(9, 9, 2)),
        layers.LeakyReLU(0.2),
        layers.BatchNormalization(),
        layers.Conv2D(4, 3, activation="hard_sigmoid"),
        layers.GlobalAveragePooling2D(),
    ]
)
series = layers.Embedding(10, 5)(words)
series = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(series)
series = layers.TimeDistributed(layers.Dense(4))(series)
series = layers.GRU(4, reset_after=False)(series)
y = layers.Dense(3, activation="softmax")(layers.concatenate([tower(image), tower(layers.ReLU()(image)), series]))
model = tf_keras.Model([image, words], y)
random, folder = np.random.default_rng(0), Path(sys.argv[1])
model.set_weights([np.abs(random.normal(0, 0.5, w.shape)).astype("float32") + 0.1 for w in model.get_weights()])
inputs = [random.normal(size=(3, 9, 9, 2)).astype("float32"), random.integers(0, 10, (3, 6)).astype("int32")]
np.savez(folder / "example.npz", inputs[0], inputs[1], model(inputs, training=False))
specs = [{"name": w.name.removesuffix(":0"), "shape": list(w.shape), "dtype": "float32"} for w in model.weights]
(folder / "group1-shard1of1.bin").write_bytes(b"".join(w.numpy().tobytes() for w in model.weights))
(folder / "model.json").write_text(
    json.dumps(
        {
            "format": "layers-model",
            "generatedBy": "keras v2",
            "modelTopology": {
                "keras_version": "2",
                "backend": "tensorflow",
                "model_config": json.loads(model.to_json()),
            },
            "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": specs}],
        }
    )
)
