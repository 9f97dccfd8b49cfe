"""Operations of TensorFlow that other runtimes lack, as exact combinations of operations that they have.

A function here takes a ``tensorflow.Operation`` and its inputs as tensors of a new graph, and returns its output, a
list of outputs, or None where the operation can stay. Each module's ``REWRITES`` holds those that TF.js needs.
"""
