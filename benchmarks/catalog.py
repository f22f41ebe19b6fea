"""The lines of the benchmark: which module runs each, with which model, on how many images."""

from dataclasses import dataclass

from fruits_pipeline.backbones.model import ModelRequest


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        module: the module of ``lines`` that runs it.
        what: one line for the reader of the table.
        request: the model; its cache folder is told by the command line.
        short: images of the short pass, which costs what every pass costs once.
        long: images of the long pass, some ten seconds of work for two cores.
        bound: the line of the same work without a framework, if there is one.
        workers_stay: whether workers outlive a pass, so that their memory can be read.
    """

    module: str
    what: str
    request: ModelRequest
    short: int
    long: int
    bound: str | None = None
    workers_stay: bool = True


_F32 = ModelRequest()
_BF16 = ModelRequest(precision="bf16")
_INT8 = ModelRequest(precision="int8")


LINES = {
    "a": Line("a_notebook", "the notebook way: Keras `predict` in an iterator pandas UDF", _F32, 64, 320, "g-f32"),
    "b": Line("b_predict_batch_udf", "`predict_batch_udf` with TensorFlow", _F32, 128, 448, "g-f32"),
    "c": Line("c_two_udfs", "two UDFs, decoded floats between; our model", _F32, 128, 896, "g-f32"),
    "d": Line("d_ray", "Ray Data with our model", _F32, 256, 2048, "g-f32", workers_stay=False),
    "e": Line("e_daft", "Daft with our model", _F32, 256, 2048, "g-f32", workers_stay=False),
    "f-f32": Line("f_ours", "ours, f32", _F32, 256, 2048, "g-f32"),
    "f-bf16": Line("f_ours", "ours, bf16", _BF16, 256, 3584, "g-bf16"),
    "f-int8": Line("f_ours", "ours, int8", _INT8, 256, 3584, "g-int8"),
    "f-160px": Line("f_ours", "ours, f32 at 160 px", ModelRequest(image_size=160), 256, 3072),
    "f-int8-160px": Line("f_ours", "ours, int8 at 160 px", ModelRequest(precision="int8", image_size=160), 512, 6144),
    "f-xception": Line("f_ours", "ours, f32, Xception at 299 px", ModelRequest(backbone="xception"), 32, 192),
    "g-f32": Line("g_bound", "the bound: two plain processes, f32", _F32, 256, 2048, "g-f32"),
    "g-bf16": Line("g_bound", "the bound: two plain processes, bf16", _BF16, 256, 3584, "g-bf16"),
    "g-int8": Line("g_bound", "the bound: two plain processes, int8", _INT8, 256, 3584, "g-int8"),
}

# Scripts of one figure each, run after the lines.
SCRIPTS = ("memory", "waves", "killed", "first_row", "listing", "fits", "latency")
