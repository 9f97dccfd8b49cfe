"""Models that begin with augmentation, which does nothing when a model answers."""

from keras import Input, Sequential, layers

from models.building import IMAGE, Build, chain, layer, of


def augmentation() -> Sequential:
    return Sequential([Input(IMAGE), layers.RandomFlip(), layers.RandomRotation(0.1), layers.RandomContrast(0.1)])


BOX = (12, 12, 3)
AUGMENTATIONS = {
    "AugMix": {}, "CutMix": {}, "MixUp": {}, "RandAugment": {}, "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.5}, "RandomColorJitter": {"brightness_factor": 0.2, "hue_factor": 0.1},
    "RandomContrast": {"factor": 0.2}, "RandomElasticTransform": {}, "RandomErasing": {}, "RandomFlip": {},
    "RandomGaussianBlur": {}, "RandomGrayscale": {}, "RandomHue": {"factor": 0.2}, "RandomInvert": {},
    "RandomPerspective": {}, "RandomPosterization": {"factor": 4}, "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.4}, "RandomSharpness": {"factor": 0.4}, "RandomShear": {"x_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.1}, "RandomZoom": {"height_factor": 0.2},
}  # fmt: skip
MODELS: dict[str, Build] = {
    name: chain(IMAGE, layer(name, **options), layer("Conv2D", 2, 3)) for name, options in AUGMENTATIONS.items()
} | {
    "RandomCrop": chain(IMAGE, layer("RandomCrop", 4, 4)),
    "RandomCrop and a network": chain(BOX, layer("RandomCrop", 8, 7), layer("Conv2D", 2, 3), layer("Flatten")),
    "RandomCrop that enlarges": chain(IMAGE, layer("RandomCrop", 12, 10)),
    "RandomCrop any size": chain((None, None, 3), layer("RandomCrop", 5, 5)),
    "several augmentations": chain(
        IMAGE, layer("Rescaling", 1 / 255), layer("RandomFlip", "horizontal"), layer("RandomRotation", 0.1),
        layer("RandomZoom", 0.1), layer("Conv2D", 4, 3, activation="relu"), layer("Flatten"), layer("Dense", 3),
    ),
    "augmentation of bytes": chain(
        IMAGE, layer("RandomFlip"), layer("Rescaling", 1 / 255), layer("Conv2D", 2, 3), dtype="uint8"
    ),
    "augmentation as a model": chain(
        IMAGE, augmentation, layer("Conv2D", 2, 3), layer("GlobalAveragePooling2D")
    ),
    "augmentation in a pipeline": chain(
        IMAGE, lambda: layers.Pipeline([layers.RandomFlip(), layers.RandomContrast(0.2)]), layer("Flatten")
    ),
    "augmentation and noise": chain(IMAGE, layer("RandomTranslation", 0.1, 0.1), layer("GaussianNoise", 0.1)),
    "augmentation beside an input": of(
        lambda x, y: layers.Concatenate()([layers.Flatten()(layers.RandomFlip()(x)), y]), IMAGE, (3,)
    ),
    "AutoContrast and augmentation": chain(IMAGE, layer("AutoContrast"), layer("RandomBrightness", 0.2)),
    "Solarization of fractions": chain(IMAGE, layer("Solarization", 0.1, 0.4, value_range=(0, 1)), layer("RandomFlip")),
}  # fmt: skip
VALUES = {name: (0, 255) for name in MODELS if "of bytes" not in name} | {"Solarization of fractions": (0, 1)}
