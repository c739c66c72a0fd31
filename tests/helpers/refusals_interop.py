"""Arguments that the conversions to SciPy and C reject: rows of the table in `refusals`."""

import numpy as np
from refusals import NET, PERCEPTRON, places, refuse
from refusals_formulas import FORMULAS

import kan_ref as kr

other = {
    "text": "net",
    "layer": NET.layers[0],
    "layers": NET.layers,
    "perceptron": PERCEPTRON,
    "none": None,
}
refuse("to_scipy", "network", lambda v: kr.to_scipy(v, 0, output=0, input=0), **other)
refuse("to_scipy", "layer", lambda v: kr.to_scipy(NET, v, output=0, input=0), **places)
refuse("to_scipy", "output", lambda v: kr.to_scipy(NET, 0, output=v, input=0), **places)
refuse("to_scipy", "input", lambda v: kr.to_scipy(NET, 0, output=0, input=v), **places)
refuse("to_scipy", "'sin'", lambda v: kr.to_scipy(v, 0, output=0, input=0), formula=FORMULAS)

refuse("to_c", "network", kr.to_c, **other)
refuse(
    "to_c",
    "name",
    lambda v: kr.to_c(NET, name=v),
    empty="",
    number=3,
    none=None,
    bytes=b"kan",
    array=np.ones(2),
    space="my kan",
    digit="2kan",
    dash="my-kan",
    dot="kan.c",
    underscore="_kan",
    letters="größe",
    long="k" * 32,
    line="kan\n",
    keyword="double",
    program="main",
    mathematics="tanh",
    single="sqrtf",
    macro="NAN",
    constant="M_PI",
    library="printf",
    later="alignas",
    defined="linux",
)
