"""The functions that a written C file calls, one for each kind of layer; a file has those that its model needs."""

from study_keras.formats.written.c_elementwise import ACTIVATIONS, MERGES

# To be closed with the fields of a kind of its own.
WINDOW_FIELDS = """
/* What a window that moves over an image needs to know: sizes, and the rows and columns of padding
 * before it. An image is rows x columns x channels, channels next to each other. */
struct window {
    int rows, columns, channels;
    int out_rows, out_columns, filters;
    int kernel_rows, kernel_columns;
    int row_stride, column_stride;
    int row_dilation, column_dilation;
    int top, left;
"""
WINDOW = WINDOW_FIELDS + "    int groups;\n};\n"

LAYERS = {
    "dense": """
/* On each of `count` vectors: output = input * kernel + bias; kernel is inputs x units. */
static void dense(int count, int inputs, int units, const float *restrict input,
                  const float *restrict kernel, const float *restrict bias, float *restrict output)
{
    for (int n = 0; n < count; n++, input += inputs, output += units) {
        for (int unit = 0; unit < units; unit++)
            output[unit] = bias ? bias[unit] : 0.0f;
        for (int i = 0; i < inputs; i++)
            for (int unit = 0; unit < units; unit++)
                output[unit] += input[i] * kernel[i * units + unit];
    }
}
""",
    "conv2d": """
/* kernel is kernel_rows x kernel_columns x channels / groups x filters. */
static void conv2d(const struct window *w, const float *restrict input, const float *restrict kernel,
                   const float *restrict bias, float *restrict output)
{
    const int depth = w->channels / w->groups, width = w->filters / w->groups;
    for (int row = 0; row < w->out_rows; row++) {
        for (int column = 0; column < w->out_columns; column++, output += w->filters) {
            for (int filter = 0; filter < w->filters; filter++)
                output[filter] = bias ? bias[filter] : 0.0f;
            for (int i = 0; i < w->kernel_rows; i++) {
                const int y = row * w->row_stride + i * w->row_dilation - w->top;
                if (y < 0 || y >= w->rows)
                    continue;
                for (int j = 0; j < w->kernel_columns; j++) {
                    const int x = column * w->column_stride + j * w->column_dilation - w->left;
                    if (x < 0 || x >= w->columns)
                        continue;
                    const float *pixel = input + (y * w->columns + x) * w->channels;
                    const float *weights = kernel + (i * w->kernel_columns + j) * depth * w->filters;
                    for (int group = 0; group < w->groups; group++)
                        for (int channel = 0; channel < depth; channel++)
                            for (int filter = group * width; filter < (group + 1) * width; filter++)
                                output[filter] += pixel[group * depth + channel]
                                                  * weights[channel * w->filters + filter];
                }
            }
        }
    }
}
""",
    "depthwise_conv2d": """
/* kernel is kernel_rows x kernel_columns x channels x filters / channels. */
static void depthwise_conv2d(const struct window *w, const float *restrict input,
                             const float *restrict kernel, const float *restrict bias,
                             float *restrict output)
{
    const int multiplier = w->filters / w->channels;
    for (int row = 0; row < w->out_rows; row++) {
        for (int column = 0; column < w->out_columns; column++, output += w->filters) {
            for (int filter = 0; filter < w->filters; filter++)
                output[filter] = bias ? bias[filter] : 0.0f;
            for (int i = 0; i < w->kernel_rows; i++) {
                const int y = row * w->row_stride + i * w->row_dilation - w->top;
                if (y < 0 || y >= w->rows)
                    continue;
                for (int j = 0; j < w->kernel_columns; j++) {
                    const int x = column * w->column_stride + j * w->column_dilation - w->left;
                    if (x < 0 || x >= w->columns)
                        continue;
                    const float *pixel = input + (y * w->columns + x) * w->channels;
                    const float *weights = kernel + (i * w->kernel_columns + j) * w->filters;
                    if (multiplier == 1) /* many numbers at once, where the processor can */
                        for (int filter = 0; filter < w->filters; filter++)
                            output[filter] += pixel[filter] * weights[filter];
                    else
                        for (int filter = 0; filter < w->filters; filter++)
                            output[filter] += pixel[filter / multiplier] * weights[filter];
                }
            }
        }
    }
}
""",
    "max_pool": """
static void max_pool(const struct window *w, const float *restrict input, float *restrict output)
{
    for (int row = 0; row < w->out_rows; row++) {
        for (int column = 0; column < w->out_columns; column++, output += w->channels) {
            for (int channel = 0; channel < w->channels; channel++)
                output[channel] = -INFINITY;
            for (int i = 0; i < w->kernel_rows; i++) {
                const int y = row * w->row_stride + i - w->top;
                if (y < 0 || y >= w->rows)
                    continue;
                for (int j = 0; j < w->kernel_columns; j++) {
                    const int x = column * w->column_stride + j - w->left;
                    if (x < 0 || x >= w->columns)
                        continue;
                    const float *pixel = input + (y * w->columns + x) * w->channels;
                    for (int channel = 0; channel < w->channels; channel++)
                        if (pixel[channel] > output[channel])
                            output[channel] = pixel[channel];
                }
            }
        }
    }
}
""",
    "average_pool": """
/* Padding does not count in the mean. */
static void average_pool(const struct window *w, const float *restrict input, float *restrict output)
{
    for (int row = 0; row < w->out_rows; row++) {
        for (int column = 0; column < w->out_columns; column++, output += w->channels) {
            int count = 0;
            for (int channel = 0; channel < w->channels; channel++)
                output[channel] = 0.0f;
            for (int i = 0; i < w->kernel_rows; i++) {
                const int y = row * w->row_stride + i - w->top;
                if (y < 0 || y >= w->rows)
                    continue;
                for (int j = 0; j < w->kernel_columns; j++) {
                    const int x = column * w->column_stride + j - w->left;
                    if (x < 0 || x >= w->columns)
                        continue;
                    const float *pixel = input + (y * w->columns + x) * w->channels;
                    for (int channel = 0; channel < w->channels; channel++)
                        output[channel] += pixel[channel];
                    count++;
                }
            }
            for (int channel = 0; channel < w->channels; channel++)
                output[channel] /= (float)count;
        }
    }
}
""",
    "global_max": """
static void global_max(int count, int channels, const float *restrict input, float *restrict output)
{
    for (int channel = 0; channel < channels; channel++)
        output[channel] = input[channel];
    for (int n = 1; n < count; n++)
        for (int channel = 0; channel < channels; channel++)
            if (input[n * channels + channel] > output[channel])
                output[channel] = input[n * channels + channel];
}
""",
    "global_average": """
static void global_average(int count, int channels, const float *restrict input, float *restrict output)
{
    for (int channel = 0; channel < channels; channel++)
        output[channel] = 0.0f;
    for (int n = 0; n < count; n++)
        for (int channel = 0; channel < channels; channel++)
            output[channel] += input[n * channels + channel];
    for (int channel = 0; channel < channels; channel++)
        output[channel] /= (float)count;
}
""",
    "zero_pad": """
static void zero_pad(const struct window *w, const float *restrict input, float *restrict output)
{
    const int line = w->columns * w->channels, out_line = w->out_columns * w->channels;
    for (int i = 0; i < w->out_rows * out_line; i++)
        output[i] = 0.0f;
    for (int row = 0; row < w->rows; row++)
        memcpy(output + (row + w->top) * out_line + w->left * w->channels, input + row * line,
               (size_t)line * sizeof(float));
}
""",
    "scale_channels": """
/* Batch normalization, and the like: output = input * scale + shift, for each channel. */
static void scale_channels(int count, int channels, const float *scale, const float *shift,
                           const float *input, float *output)
{
    for (int n = 0; n < count; n++)
        for (int channel = 0; channel < channels; channel++)
            output[n * channels + channel] = input[n * channels + channel] * scale[channel] + shift[channel];
}
""",
    "normalize_layer": """
static void normalize_layer(int count, int size, float epsilon, const float *gamma, const float *beta,
                            const float *input, float *output)
{
    for (int n = 0; n < count; n++, input += size, output += size) {
        float mean = 0.0f, variance = 0.0f;
        for (int i = 0; i < size; i++)
            mean += input[i];
        mean /= (float)size;
        for (int i = 0; i < size; i++)
            variance += (input[i] - mean) * (input[i] - mean);
        variance /= (float)size;
        for (int i = 0; i < size; i++) {
            const float normal = (input[i] - mean) / sqrtf(variance + epsilon);
            output[i] = normal * (gamma ? gamma[i] : 1.0f) + (beta ? beta[i] : 0.0f);
        }
    }
}
""",
    "gather": """
/* Copies an array of `rank` dimensions of these sizes; each takes `steps` in the input. */
static void gather(int rank, const int *sizes, const int *steps, const float *restrict input,
                   float *restrict output)
{
    int place[8] = {0}, offset = 0;
    for (int dimension = rank - 1; dimension >= 0;) {
        *output++ = input[offset];
        for (dimension = rank - 1; dimension >= 0; dimension--) {
            offset += steps[dimension];
            if (++place[dimension] < sizes[dimension])
                break;
            offset -= steps[dimension] * sizes[dimension];
            place[dimension] = 0;
        }
    }
}
""",
    "concatenate": """
/* Writes `count` runs of `size` numbers, `step` apart. */
static void concatenate(int count, int size, int step, const float *restrict input,
                        float *restrict output)
{
    for (int n = 0; n < count; n++)
        memcpy(output + n * step, input + n * size, (size_t)size * sizeof(float));
}
""",
    "rescale": """
static void rescale(int size, float scale, float offset, const float *input, float *output)
{
    for (int i = 0; i < size; i++)
        output[i] = input[i] * scale + offset;
}
""",
}
TYPED = {  # of integers; TYPE is that of <stdint.h>, DTYPE its name without _t
    "cast": """
static void cast_DTYPE(int size, const TYPE *restrict input, float *restrict output)
{
    for (int i = 0; i < size; i++)
        output[i] = (float)input[i];
}
""",
    "embed": """
/* Row `input[i]` of the table for each of `count` numbers. The nearest row for one that is outside. */
static void embed_DTYPE(int count, int rows, int width, const float *restrict table,
                        const TYPE *restrict input, float *restrict output)
{
    for (int i = 0; i < count; i++) {
        const int64_t asked = (int64_t)input[i];
        const int64_t row = asked < 0 ? 0 : asked >= rows ? rows - 1 : asked;
        memcpy(output + (size_t)i * (size_t)width, table + row * width, (size_t)width * sizeof(float));
    }
}
""",
}


def sources(names: set[str]) -> str:
    """Return the functions of these names, in the order of the tables: ``dense``, ``apply_relu``, ``cast_int32`` ..."""
    known = LAYERS | {f"apply_{name}": source for name, source in ACTIVATIONS.items()} | MERGES
    parts = [source for name, source in known.items() if name in names]
    for name in sorted(names - known.keys()):
        function, _, dtype = name.partition("_")
        parts.append(TYPED[function].replace("DTYPE", dtype).replace("TYPE", f"{dtype}_t"))
    return (WINDOW if any("struct window" in part for part in parts) else "") + "".join(parts)
