"""The functions that a C file in int8 calls: integers of 32 bits, rounded to 8 as LiteRT rounds on a processor."""

from study_keras.formats.written.c_functions import WINDOW_FIELDS

STRUCTS = (
    WINDOW_FIELDS
    + """};

/* A stored number q stands for (q - zero) * scale; results are kept from least to most. */
struct range {
    int zero, out_zero, least, most;
};
"""
)
FUNCTIONS = {
    "limited": """
static int8_t limited(long number, int least, int most)
{
    return (int8_t)(number < least ? least : number > most ? most : number);
}
""",
    "rounded": """
/* The scale of the sum, relative to that of the output, is a float32: one multiplication an output. */
static int8_t rounded(int32_t sum, float scale, const struct range *r)
{
    return limited(lrintf((float)sum * scale) + r->out_zero, r->least, r->most);
}
""",
    "quantize": """
static void quantize(int size, float scale, int zero, const float *restrict input, int8_t *restrict output)
{
    const float steps = 1.0f / scale;
    for (int i = 0; i < size; i++) {
        const float number = fminf(fmaxf(input[i] * steps, -256.0f), 256.0f);
        output[i] = limited(lrintf(number) + zero, -128, 127);
    }
}
""",
    "dequantize": """
static void dequantize(int size, float scale, int zero, const int8_t *restrict input,
                       float *restrict output)
{
    for (int i = 0; i < size; i++)
        output[i] = (float)(input[i] - zero) * scale;
}
""",
    "dense": """
/* On each of `count` vectors: output = input * kernel + bias; kernel is units x inputs. */
static void dense(int count, int inputs, int units, const struct range *r,
                  const int8_t *restrict input, const int8_t *restrict kernel,
                  const int32_t *restrict bias, const float *restrict scale, int8_t *restrict output)
{
    for (int n = 0; n < count; n++, input += inputs) {
        for (int unit = 0; unit < units; unit++) {
            int32_t sum = bias[unit];
            for (int i = 0; i < inputs; i++)
                sum += (input[i] - r->zero) * kernel[unit * inputs + i];
            *output++ = rounded(sum, scale[unit], r);
        }
    }
}
""",
    "conv2d": """
/* kernel is filters x kernel_rows x kernel_columns x channels. */
static void conv2d(const struct window *w, const struct range *r, const int8_t *restrict input,
                   const int8_t *restrict kernel, const int32_t *restrict bias,
                   const float *restrict scale, int8_t *restrict output)
{
    for (int row = 0; row < w->out_rows; row++) {
        for (int column = 0; column < w->out_columns; column++) {
            const int8_t *weights = kernel;
            for (int filter = 0; filter < w->filters; filter++) {
                int32_t sum = bias[filter];
                for (int i = 0; i < w->kernel_rows; i++) {
                    const int y = row * w->row_stride + i * w->row_dilation - w->top;
                    for (int j = 0; j < w->kernel_columns; j++, weights += w->channels) {
                        const int x = column * w->column_stride + j * w->column_dilation - w->left;
                        if (y < 0 || y >= w->rows || x < 0 || x >= w->columns)
                            continue;
                        const int8_t *pixel = input + (y * w->columns + x) * w->channels;
                        for (int channel = 0; channel < w->channels; channel++)
                            sum += (pixel[channel] - r->zero) * weights[channel];
                    }
                }
                *output++ = rounded(sum, scale[filter], r);
            }
        }
    }
}
""",
    "depthwise_conv2d": """
/* kernel is kernel_rows x kernel_columns x filters. */
static void depthwise_conv2d(const struct window *w, const struct range *r, const int8_t *restrict input,
                             const int8_t *restrict kernel, const int32_t *restrict bias,
                             const float *restrict scale, int8_t *restrict output)
{
    const int multiplier = w->filters / w->channels;
    for (int row = 0; row < w->out_rows; row++) {
        for (int column = 0; column < w->out_columns; column++) {
            for (int filter = 0; filter < w->filters; filter++) {
                int32_t sum = bias[filter];
                for (int i = 0; i < w->kernel_rows; i++) {
                    const int y = row * w->row_stride + i * w->row_dilation - w->top;
                    for (int j = 0; j < w->kernel_columns; j++) {
                        const int x = column * w->column_stride + j * w->column_dilation - w->left;
                        if (y < 0 || y >= w->rows || x < 0 || x >= w->columns)
                            continue;
                        sum += (input[(y * w->columns + x) * w->channels + filter / multiplier] - r->zero)
                               * kernel[(i * w->kernel_columns + j) * w->filters + filter];
                    }
                }
                *output++ = rounded(sum, scale[filter], r);
            }
        }
    }
}
""",
    "max_pool": """
static void max_pool(const struct window *w, const struct range *r, const int8_t *restrict input,
                     int8_t *restrict output)
{
    for (int row = 0; row < w->out_rows; row++) {
        for (int column = 0; column < w->out_columns; column++) {
            for (int channel = 0; channel < w->channels; channel++) {
                int largest = -128;
                for (int i = 0; i < w->kernel_rows; i++) {
                    const int y = row * w->row_stride + i - w->top;
                    for (int j = 0; j < w->kernel_columns; j++) {
                        const int x = column * w->column_stride + j - w->left;
                        if (y < 0 || y >= w->rows || x < 0 || x >= w->columns)
                            continue;
                        const int number = input[(y * w->columns + x) * w->channels + channel];
                        if (number > largest)
                            largest = number;
                    }
                }
                *output++ = limited(largest, r->least, r->most);
            }
        }
    }
}
""",
    "softmax": """
static void softmax(int count, int size, float scale, float out_scale, int out_zero,
                    const int8_t *restrict input, int8_t *restrict output)
{
    for (int n = 0; n < count; n++, input += size, output += size) {
        int largest = -128;
        float sum = 0.0f;
        for (int i = 0; i < size; i++)
            if (input[i] > largest)
                largest = input[i];
        for (int i = 0; i < size; i++)
            sum += expf(-scale * (float)(largest - input[i]));
        const float steps = 1.0f / (sum * out_scale);
        for (int i = 0; i < size; i++) {
            const float number = expf(-scale * (float)(largest - input[i])) * steps;
            output[i] = limited(lrintf(number) + out_zero, -128, 127);
        }
    }
}
""",
}
NEEDS = {"quantize": {"limited"}, "max_pool": {"limited"}, "softmax": {"limited"}}
NEEDS |= {name: {"limited", "rounded"} for name in ("dense", "conv2d", "depthwise_conv2d")}


def sources(names: set[str]) -> str:
    """Return the functions of these names, and those that they call."""
    wanted = names.union(*(NEEDS.get(name, set()) for name in names))
    return STRUCTS + "".join(source for name, source in FUNCTIONS.items() if name in wanted)
