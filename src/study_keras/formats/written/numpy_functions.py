"""The functions that the expressions of ``numpy_lines`` call; a program gets the text of those that it needs."""

import re

FUNCTIONS = {
    "windows": '''
def windows(x, size, strides, padding, dilation, fill, np):
    """Yield each place in a window of this size, and what ``x`` (batch, ..., channels) has there in all windows."""
    strides, dilation = strides or (1,) * len(size), dilation or (1,) * len(size)
    if padding:
        x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=fill)
    for place in itertools.product(*map(range, size)):
        cuts = [slice(None)]
        for length, across, stride, apart, at in zip(x.shape[1:-1], size, strides, dilation, place):
            count = (length - (across - 1) * apart - 1) // stride + 1
            cuts.append(slice(at * apart, at * apart + (count - 1) * stride + 1, stride))
        yield place, x[tuple(cuts)]
''',
    "convolve": '''
def convolve(x, kernel, strides=None, padding=None, dilation=None, groups=1, *, np):
    """Return a convolution: ``x`` (batch, ..., in), ``kernel`` (..., in / groups, out) -> (batch, ..., out)."""
    total = 0.0
    for place, part in windows(x, kernel.shape[:-2], strides, padding, dilation, 0.0, np):
        if groups == 1:
            total = total + part.reshape(-1, part.shape[-1]) @ kernel[place]
        else:
            channels = part.reshape(-1, groups, kernel.shape[-2])
            total = total + np.einsum("ngi,igo->ngo", channels, kernel[place].reshape(kernel.shape[-2], groups, -1))
    return total.reshape(*part.shape[:-1], -1)
''',
    "convolve_depthwise": '''
def convolve_depthwise(x, kernel, strides=None, padding=None, dilation=None, *, np):
    """Return a convolution of each channel by itself: ``kernel`` (rows, columns, in, multiplier)."""
    total = 0.0
    for place, part in windows(x, kernel.shape[:-2], strides, padding, dilation, 0.0, np):
        total = total + part[..., None] * kernel[place]
    return total.reshape(*part.shape[:-1], -1)
''',
    "max_pool": '''
def max_pool(x, size, strides=None, padding=None, *, np):
    """Return the largest number of each window; the padding never is."""
    largest = -np.inf
    for _, part in windows(x, size, strides, padding, None, -np.inf, np):
        largest = np.maximum(largest, part)
    return largest
''',
    "average_pool": '''
def average_pool(x, size, strides=None, padding=None, *, np):
    """Return the mean of each window, in which the padding does not count."""
    total = count = 0.0
    for _, part in windows(x, size, strides, padding, None, 0.0, np):
        total = total + part
    for _, part in windows(np.ones_like(x[:1, ..., :1]), size, strides, padding, None, 0.0, np):
        count = count + part
    return total / count
''',
    "batch_normalize": '''
def batch_normalize(x, weights, name, epsilon, *, np):
    """Return ``x`` scaled and shifted by the statistics of the training, channel by channel."""
    scale = weights[f"{name}.gamma"] / np.sqrt(weights[f"{name}.moving_variance"] + epsilon)
    return (x - weights[f"{name}.moving_mean"]) * scale + weights[f"{name}.beta"]
''',
    "layer_normalize": '''
def layer_normalize(x, epsilon, *, np):
    """Return ``x`` with mean 0 and variance 1 along the last axis."""
    centered = x - x.mean(axis=-1, keepdims=True)
    return centered / np.sqrt((centered * centered).mean(axis=-1, keepdims=True) + epsilon)
''',
    "relu_of": '''
def relu_of(x, max_value, negative_slope, threshold, *, np):
    """Return a relu: ``x`` above the threshold, at most ``max_value``; below it, a slope."""
    y = np.where(x > threshold, x, 0)
    y = y if max_value is None else np.clip(y, 0, max_value)
    return y - negative_slope * np.maximum(threshold - x, 0)
''',
    "elu_of": '''
def elu_of(x, alpha, *, np):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
''',
    "sigmoid_of": '''
def sigmoid_of(x, *, np):
    """Return 1 / (1 + exp(-x)), which never overflows."""
    return np.exp(-np.logaddexp(0, -x))
''',
    "softmax_of": '''
def softmax_of(x, *, np):
    """Return probabilities along the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
''',
    "erf_of": '''
def erf_of(x, *, np):
    """Return the error function, which NumPy lacks: a quotient of polynomials, exact to the last digits of float32."""
    x = np.clip(x, -4, 4)
    above, below = 0.0, 0.0
    for factor in (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
                   -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02):
        above = above * x * x + factor
    for factor in (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
                   -1.42647390514189e-02):
        below = below * x * x + factor
    return x * above / below
''',
}  # fmt: skip


def functions_of(text: str) -> list[str]:
    """Return the source of all functions that ``text`` calls, and of those that these call."""
    used = {name for name in FUNCTIONS if re.search(rf"\b{name}\(", text)}
    called = {other for name in used for other in FUNCTIONS if re.search(rf"\b{other}\(", FUNCTIONS[name])}
    return [FUNCTIONS[name].strip("\n") for name in FUNCTIONS if name in used | called]
