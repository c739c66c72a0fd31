// A conformance subject in Rust: B-splines and layers over JSON lines, the standard library alone.
//
//   rustc -O -o subject docs/conformance_examples/subject.rs
//   python -m kan_ref.conformance --program ./subject
//
// A request is one line, {"id": 7, "method": "basis", "args": {"x": [...], "knots": [...], "degree": 3}}; so is the answer,
// {"id": 7, "result": [[...], ...]} or {"id": 7, "unsupported": true}. {:?} writes the shortest digits that read back exactly.
use std::io::{self, BufRead, Write};

// --- reading: just as much JSON as a request holds

/// The text after a key, wherever it stands: names are unique in a request.
fn find<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let quoted = format!("\"{}\":", key);
    line.find(&quoted).map(|at| line[at + quoted.len()..].trim_start())
}

/// The numbers of nested lists, flat; their shape follows from the other arguments.
fn numbers(line: &str, key: &str) -> Option<Vec<f64>> {
    let text = find(line, key)?;
    let mut depth = 0;
    let mut end = 0;
    for (place, letter) in text.char_indices() {
        depth += (letter == '[') as i32 - (letter == ']') as i32;
        if depth == 0 {
            end = place + 1;
            break;
        }
    }
    text[..end]
        .split(|c: char| "[], ".contains(c))
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().ok())
        .collect()
}

fn integer(line: &str, key: &str) -> Option<usize> {
    find(line, key)?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn word<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    find(line, key)?.strip_prefix('"')?.split('"').next()
}

/// A number as JSON; JSON has no words for those that are not finite.
fn spoken(value: f64) -> String {
    if value.is_nan() {
        "\"NaN\"".to_string()
    } else if value.is_infinite() {
        format!("\"{}Infinity\"", if value > 0.0 { "" } else { "-" })
    } else {
        format!("{:?}", value)
    }
}

fn rows(values: &[Vec<f64>]) -> String {
    let lines: Vec<String> = values
        .iter()
        .map(|row| format!("[{}]", row.iter().map(|v| spoken(*v)).collect::<Vec<_>>().join(",")))
        .collect();
    format!("[{}]", lines.join(","))
}

// --- B-splines

fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 } // 0/0 := 0
}

/// All B-splines of the knot vector t at x: the recursion of Cox and de Boor.
fn basis(x: f64, t: &[f64], degree: usize) -> Vec<f64> {
    let mut b: Vec<f64> = t.windows(2).map(|w| if x.is_nan() { x } else { (w[0] <= x && x < w[1]) as u8 as f64 }).collect();
    if x == t[t.len() - 1] {
        // the last interval that is not empty is closed on the right
        if let Some(last) = t.windows(2).rposition(|w| w[0] < w[1]) {
            b[last] = 1.0;
        }
    }
    for d in 1..=degree {
        for m in 0..t.len() - 1 - d {
            b[m] = ratio(x - t[m], t[m + d] - t[m]) * b[m]
                + ratio(t[m + d + 1] - x, t[m + d + 1] - t[m + 1]) * b[m + 1];
        }
    }
    b.truncate(t.len() - 1 - degree);
    b
}

// --- layers: y_j = sum_i mask_ji (w_base_ji b(x_i) + w_spline_ji sum_m coef_jim B_m(x_i))

fn layer(line: &str) -> Option<Vec<Vec<f64>>> {
    let (knots, coef, mask) = (numbers(line, "knots")?, numbers(line, "coef")?, numbers(line, "mask")?);
    let (w_base, w_spline, x) = (numbers(line, "w_base")?, numbers(line, "w_spline")?, numbers(line, "x")?);
    let (degree, base) = (integer(line, "degree")?, word(line, "base")?);
    let n_basis = coef.len() / mask.len();
    let n_knots = n_basis + degree + 1;
    let n_in = knots.len() / n_knots;
    let n_out = mask.len() / n_in;
    let b = |at: f64| match base {
        "silu" => at / (1.0 + (-at).exp()),
        "identity" => at,
        _ => 0.0,
    };
    Some(
        x.chunks(n_in)
            .map(|sample| {
                let mut y = vec![0.0; n_out];
                for (i, at) in sample.iter().enumerate() {
                    let values = basis(*at, &knots[i * n_knots..(i + 1) * n_knots], degree);
                    for (j, sum) in y.iter_mut().enumerate() {
                        let edge = j * n_in + i;
                        let c = &coef[edge * n_basis..(edge + 1) * n_basis];
                        let spline: f64 = c.iter().zip(&values).map(|(c, v)| c * v).sum();
                        *sum += mask[edge] * (w_base[edge] * b(*at) + w_spline[edge] * spline);
                    }
                }
                y
            })
            .collect(),
    )
}

fn answer(line: &str) -> String {
    let method = word(line, "method").unwrap_or("");
    if method == "hello" {
        return "{\"result\":{\"name\":\"example in Rust\"}}".to_string();
    }
    let id = integer(line, "id").unwrap_or(0);
    let found = match method {
        "basis" => numbers(line, "x").and_then(|x| {
            let (t, degree) = (numbers(line, "knots")?, integer(line, "degree")?);
            Some(x.iter().map(|at| basis(*at, &t, degree)).collect())
        }),
        "layer_forward" => layer(line),
        _ => return format!("{{\"id\":{},\"unsupported\":true}}", id),
    };
    match found {
        Some(values) => format!("{{\"id\":{},\"result\":{}}}", id, rows(&values)),
        None => format!("{{\"id\":{},\"error\":\"an argument cannot be read\"}}", id),
    }
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", answer(&line?))?;
        out.flush()?;
    }
    Ok(())
}
