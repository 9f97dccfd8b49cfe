"""A SavedModel that reaches outside is refused before TensorFlow loads it; one that only computes is not."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from study_keras.runtimes.graph_gate import check_saved_model
from study_keras.runtimes.saved_model import load_saved_model

# Each writes a SavedModel of one operation into a folder of its name; run once, in a process of its own.
WRITE = """if True:
    import json, os, sys
    import tensorflow as tf

    folder, outside = sys.argv[1:]
    raw = tf.raw_ops

    def dataset(make):
        def serve(x):
            handle = make(tf.data.Dataset.from_tensors(0)._variant_tensor)
            iterator = raw.AnonymousIteratorV3(output_types=[tf.int32], output_shapes=[()])
            raw.MakeIterator(dataset=handle, iterator=iterator)
            return x
        return serve

    kinds = {"output_types": [tf.int32], "output_shapes": [()]}
    functions = {
        "ReadFile": lambda x: (raw.ReadFile(filename=outside), x)[1],
        "WriteFile": lambda x: (raw.WriteFile(filename=outside, contents="x"), x)[1],
        "MatchingFiles": lambda x: (raw.MatchingFiles(pattern="/*"), x)[1],
        "RestoreV2": lambda x: x + raw.RestoreV2(
            prefix=outside, tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])[0],
        "SaveV2": lambda x: (raw.SaveV2(prefix=outside, tensor_names=["a"], shape_and_slices=[""], tensors=[x]), x)[1],
        "ImmutableConst": lambda x: x + raw.ImmutableConst(dtype=tf.float32, shape=[1], memory_region_name=outside),
        "WholeFileReaderV2": lambda x: (raw.WholeFileReaderV2(), x)[1],
        "PrintV2": lambda x: (raw.PrintV2(input="x", output_stream="file://" + outside), x)[1],
        "EagerPyFunc": lambda x: tf.py_function(lambda y: y, [x], tf.float32),
        "CacheDatasetV2": dataset(lambda d: raw.CacheDataset(input_dataset=d, filename=outside, **kinds)),
        "SqlDataset": dataset(lambda d: raw.SqlDataset(
            driver_name="sqlite", data_source_name=outside, query="select 1", **kinds)),
        "TextLineDataset": dataset(
            lambda d: raw.TextLineDataset(filenames=outside, compression_type="", buffer_size=0)),
        "DebugIdentityV3": lambda x: raw.DebugIdentityV3(input=x, debug_urls=["file://" + outside]),
        "CreateSummaryFileWriter": lambda x: (raw.CreateSummaryFileWriter(
            writer=raw.SummaryWriter(), logdir=outside, max_queue=1, flush_millis=1, filename_suffix=""), x)[1],
        "LookupTableFindV2": lambda x: (raw.InitializeTableFromTextFileV2(
            table_handle=raw.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64), filename=outside, key_index=-2,
            value_index=-1), x)[1],
    }
    for name, function in functions.items():
        module = tf.Module()
        def __inference__traced_save_1(x):  # a name that TensorFlow gives to the functions that save
            return function(x)
        inner = tf.function(__inference__traced_save_1, autograph=False)
        module.serve = tf.function(lambda x: inner(x), [tf.TensorSpec((1,))], autograph=False)
        try:
            tf.saved_model.save(module, os.path.join(folder, name))
        except Exception as error:
            print(json.dumps([name, str(error)[:200]]))
    table = tf.Module()
    vocabulary = os.path.join(folder, "words.txt")
    open(vocabulary, "w").write("a\\nb\\n")
    made = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(
        vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), -1)
    table.table = made
    table.serve = tf.function(lambda x: made.lookup(x), [tf.TensorSpec((1,), tf.string)])
    tf.saved_model.save(table, os.path.join(folder, "asset"))
"""
OPERATIONS = (
    *(
        "ReadFile",
        "WriteFile",
        "MatchingFiles",
        "RestoreV2",
        "SaveV2",
        "ImmutableConst",
        "WholeFileReaderV2",
        "PrintV2",
    ),
    *("EagerPyFunc", "CacheDatasetV2", "SqlDataset", "TextLineDataset", "DebugIdentityV3", "CreateSummaryFileWriter"),
    "LookupTableFindV2",
)


@pytest.fixture(scope="module")
def saved_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    done = subprocess.run(
        [sys.executable, "-c", WRITE, folder, folder / "outside"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    failed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert not failed
    (folder / "outside").unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_that_reaches_outside_is_refused_whatever_its_function_is_called(saved_models, name):
    with pytest.raises(ValueError, match="refused"):
        check_saved_model(saved_models / name)
    assert not (saved_models / "outside").exists()


def test_a_table_is_read_from_an_asset_in_the_folder_only(saved_models):
    check_saved_model(saved_models / "asset")
    model = saved_models / "asset" / "saved_model.pb"
    content = model.read_bytes()
    assert content.count(b"words.txt") >= 1
    model.write_bytes(content.replace(b"words.txt", b"../../etc"))
    with pytest.raises(ValueError, match="is not a file in the folder assets"):
        check_saved_model(saved_models / "asset")


# Each writes a SavedModel that would take for ever, or more memory than there is.
ENDLESS = """if True:
    import os, sys
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    (folder,) = sys.argv[1:]
    endless = lambda x: tf.while_loop(lambda i: i >= 0.0, lambda i: [i + 0.0], [tf.reduce_sum(x * 0)])[0] + x

    def save(name, serve, **parts):
        module = tf.Module()
        module.serve = tf.function(serve, [tf.TensorSpec((None, 2))], autograph=False)
        for key, value in parts.items():
            setattr(module, key, value)
        tf.saved_model.save(module, os.path.join(folder, name), signatures=module.serve)
        return os.path.join(folder, name, "saved_model.pb")

    def change(path, edit):
        model = saved_model_pb2.SavedModel.FromString(open(path, "rb").read())
        edit(model.meta_graphs[0])
        open(path, "wb").write(model.SerializeToString())

    def grow(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op == "Const" and node.attr["value"].tensor.dtype == 1:
                    tensor = node.attr["value"].tensor
                    tensor.Clear()
                    tensor.dtype = 1
                    tensor.float_val.append(1.0)
                    tensor.tensor_shape.dim.add().size = 1 << 31

    def recurse(graph):
        functions = graph.graph_def.library.function
        names = [function.signature.name for function in functions]
        for function in functions:
            for node in function.node_def:
                if node.op in ("StatefulPartitionedCall", "PartitionedCall"):
                    node.attr["f"].func.name = function.signature.name

    def start(graph):
        objects = graph.object_graph_def
        place = next(child.node_id for child in objects.nodes[0].children if child.local_name == "serve")
        objects.nodes[0].children.add(node_id=place, local_name="_initialize")

    save("loop", endless)
    change(save("constant", lambda x: x + tf.constant([1.0, 2.0])), grow)
    inner = tf.function(lambda x: x + 1)
    change(save("recursion", lambda x: inner(x)), recurse)
    change(save("initializer", endless), start)
"""


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endless")
    subprocess.run([sys.executable, "-c", ENDLESS, folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("name", "message"),
    {
        "constant": "needs 8,589,934,592 bytes",
        "recursion": "calls itself",
        "initializer": "while the folder is loaded",
    }.items(),
)
def test_a_graph_that_needs_all_memory_or_never_ends_is_refused(endless, name, message):
    with pytest.raises(ValueError, match=message):
        load_saved_model(endless / name)


def test_a_loop_that_never_ends_is_stopped(endless):
    function = load_saved_model(endless / "loop", seconds=0.5)
    with pytest.raises(ValueError, match=r"longer than 0\.5 s"):
        function(np.zeros((1, 2), np.float32))


def add_node(op, **attributes):
    def edit(graph):
        node = graph.graph_def.library.function[0].node_def.add(name="added", op=op)
        for key, value in attributes.items():
            node.attr[key].s = value

    return edit


def add_outer_node(graph):
    graph.graph_def.node.add(name="added", op="ReadFile")


def add_saver(graph):
    graph.graph_def.node.add(name="added", op="SaveV2")  # as TensorFlow does, to save the variables


EDITS = {
    "an operation on files outside of the functions": (add_outer_node, "ReadFile reaches out"),
    "an unknown operation": (add_node("Anything"), "Anything reaches out"),
    "a call back into Python": (add_node("XlaCallModule", module=b"stablehlo ... xla_python_cpu_callback"), "refused"),
    "no objects": (lambda graph: graph.ClearField("object_graph_def"), "no object graph"),
    "a module of JAX": (add_node("XlaCallModule", module=b"stablehlo"), None),
    "saving the variables": (add_saver, None),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_graph_is_refused_for_each_operation_that_is_not_known_to_compute(kind, endless, tmp_path):
    edit, message = EDITS[kind]
    model = saved_model_pb2.SavedModel.FromString((endless / "loop" / "saved_model.pb").read_bytes())
    edit(model.meta_graphs[0])
    (tmp_path / "saved_model.pb").write_bytes(model.SerializeToString())
    if message is None:
        check_saved_model(tmp_path)
    else:
        with pytest.raises(ValueError, match=message):
            check_saved_model(tmp_path)


@pytest.mark.parametrize("name", ["missing.txt", "../saved_model.pb", "/etc/hostname", ""])
def test_an_asset_is_a_file_in_the_folder_of_assets(name, endless, tmp_path):
    model = saved_model_pb2.SavedModel.FromString((endless / "loop" / "saved_model.pb").read_bytes())
    model.meta_graphs[0].asset_file_def.add(filename=name)
    (tmp_path / "assets").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="is not a file in the folder assets"):
        check_saved_model(tmp_path)


def test_a_model_without_a_graph_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="no graph"):
        check_saved_model(tmp_path)
