"""The functions of a written C file that take each number by itself: activations, and sums of two arrays."""


def _elementwise(name: str, formula: str, parameters: str = "") -> str:
    return f"""
static void apply_{name}(int size, {parameters}const float *input, float *output)
{{
    for (int i = 0; i < size; i++) {{
        const float x = input[i];
        output[i] = {formula};
    }}
}}
"""


def _of_two(name: str, formula: str) -> str:
    return f"""
static void {name}(int size, const float *first, const float *second, float *output)
{{
    for (int i = 0; i < size; i++)
        output[i] = {formula};
}}
"""


_SIGMOID = "1.0f / (1.0f + expf(-x))"
_SOFTPLUS = "(x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x)))"
_HARD_SIGMOID = "fminf(fmaxf(x / 6.0f + 0.5f, 0.0f), 1.0f)"
ACTIVATIONS = {
    "relu": _elementwise("relu", "x < 0.0f ? 0.0f : x"),
    "clipped_relu": _elementwise("clipped_relu", "x < 0.0f ? 0.0f : x > most ? most : x", "float most, "),
    "limited_relu": _elementwise(
        "limited_relu",
        "fminf(fmaxf(x > threshold ? x : 0.0f, least), most) - slope * fmaxf(threshold - x, 0.0f)",
        "float least, float most, float slope, float threshold, ",
    ),
    "leaky_relu": _elementwise("leaky_relu", "x < 0.0f ? slope * x : x", "float slope, "),
    "elu": _elementwise("elu", "x > 0.0f ? x : alpha * expm1f(x)", "float alpha, "),
    "selu": _elementwise("selu", "1.05070098736f * (x > 0.0f ? x : 1.67326324235f * expm1f(x))"),
    "gelu": _elementwise("gelu", "0.5f * x * (1.0f + erff(x * 0.70710678118f))"),
    "gelu_tanh": _elementwise("gelu_tanh", "0.5f * x * (1.0f + tanhf(0.79788456080f * (x + 0.044715f * x * x * x)))"),
    "exponential": _elementwise("exponential", "expf(x)"),
    "hard_sigmoid": _elementwise("hard_sigmoid", _HARD_SIGMOID),
    "hard_silu": _elementwise("hard_silu", f"x * {_HARD_SIGMOID}"),
    "mish": _elementwise("mish", f"x * tanhf({_SOFTPLUS})"),
    "sigmoid": _elementwise("sigmoid", _SIGMOID),
    "silu": _elementwise("silu", "x / (1.0f + expf(-x))"),
    "softplus": _elementwise("softplus", _SOFTPLUS[1:-1]),
    "softsign": _elementwise("softsign", "x / (1.0f + fabsf(x))"),
    "tanh": _elementwise("tanh", "tanhf(x)"),
    "softmax": """
static void apply_softmax(int count, int size, const float *input, float *output)
{
    for (int n = 0; n < count; n++, input += size, output += size) {
        float largest = input[0], sum = 0.0f;
        for (int i = 1; i < size; i++)
            if (input[i] > largest)
                largest = input[i];
        for (int i = 0; i < size; i++) {
            output[i] = expf(input[i] - largest);
            sum += output[i];
        }
        for (int i = 0; i < size; i++)
            output[i] /= sum;
    }
}
""",
}
MERGES = {
    "add": _of_two("add", "first[i] + second[i]"),
    "subtract": _of_two("subtract", "first[i] - second[i]"),
    "multiply": _of_two("multiply", "first[i] * second[i]"),
    "maximum": _of_two("maximum", "fmaxf(first[i], second[i])"),
    "minimum": _of_two("minimum", "fminf(first[i], second[i])"),
}
