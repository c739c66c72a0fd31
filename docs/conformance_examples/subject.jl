# A conformance subject in Julia: B-splines and layers over JSON lines, with the package JSON.
# This example has NOT been run: no machine of this project has Julia. The same in C, JavaScript and Rust is run by the tests.
#
#   python -m kan_ref.conformance --program "julia docs/conformance_examples/subject.jl"
#
# A request is one line, {"id": 7, "method": "basis", "args": {"x": [...], "knots": [...], "degree": 3}}; so is the answer,
# {"id": 7, "result": [[...], ...]} or {"id": 7, "unsupported": true}.
using JSON

ratio(a, b) = b > 0 ? a / b : 0.0  # 0/0 := 0

# All B-splines of the knot vector t at x: the recursion of Cox and de Boor. Places start at 1 in Julia.
function basis(x, t, degree)
    b = [isnan(x) ? x : Float64(t[m] <= x < t[m+1]) for m in 1:length(t)-1]
    if x == t[end]  # the last interval that is not empty is closed on the right
        b[findlast(m -> t[m] < t[m+1], 1:length(t)-1)] = 1.0
    end
    for d in 1:degree
        b = [ratio(x - t[m], t[m+d] - t[m]) * b[m] + ratio(t[m+d+1] - x, t[m+d+1] - t[m+1]) * b[m+1]
             for m in 1:length(b)-1]
    end
    return b
end

const bases = Dict("silu" => x -> x / (1 + exp(-x)), "identity" => identity, "zero" => zero)

# phi_ji(x) = mask_ji (w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x))
function edge(layer, j, i, x, values)
    spline = sum(layer["coef"][j][i] .* values)
    base = bases[layer["base"]](x)
    return layer["mask"][j][i] * (layer["w_base"][j][i] * base + layer["w_spline"][j][i] * spline)
end

function layer_forward(layer, x)
    return map(x) do sample
        values = [basis(at, layer["knots"][i], layer["degree"]) for (i, at) in enumerate(sample)]
        [sum(edge(layer, j, i, at, values[i]) for (i, at) in enumerate(sample)) for j in eachindex(layer["coef"])]
    end
end

# JSON has no words for numbers that are not finite
spoken(v::AbstractVector) = map(spoken, v)
spoken(v::Real) = isnan(v) ? "NaN" : isinf(v) ? (v > 0 ? "Infinity" : "-Infinity") : v

function answer(request)
    method = request["method"]
    method == "hello" && return Dict("result" => Dict("name" => "example in Julia", "version" => string(VERSION)))
    id = request["id"]
    try
        args = request["args"]
        method == "basis" &&
            return Dict("id" => id, "result" => spoken([basis(x, args["knots"], args["degree"]) for x in args["x"]]))
        method == "layer_forward" && return Dict("id" => id, "result" => spoken(layer_forward(args["layer"], args["x"])))
        return Dict("id" => id, "unsupported" => true)
    catch error
        return Dict("id" => id, "error" => sprint(showerror, error))
    end
end

for line in eachline(stdin)
    println(JSON.json(answer(JSON.parse(line))))
    flush(stdout)
end
