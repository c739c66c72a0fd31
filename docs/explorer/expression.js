// A reader's own target: text such as "exp(sin(pi x) + y^2)" becomes a function of its variables. Nothing of the text is executed:
//
//   sum = product {(+ | -) product}     product = sign {(* | / | nothing) sign}     sign = [+ | -] power
//   power = atom [^ sign]               atom = number | pi | e | variable | function ( sum ) | ( sum )
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const FUNCTIONS = { exp: Math.exp, log: Math.log, sqrt: Math.sqrt, abs: Math.abs, sin: Math.sin, cos: Math.cos, tan: Math.tan,
    tanh: Math.tanh, arctan: Math.atan, gaussian: (u) => Math.exp(-u * u) };
  const CONSTANTS = { pi: Math.PI, "π": Math.PI, e: Math.E };
  const MOST_CHARACTERS = 200;

  function tokensOf(text) {
    const tokens = [];
    const pattern = /\s*(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[a-z]+|π|[-+*/^()·−²³])/iy;
    const rest = text.trimEnd();
    while (pattern.lastIndex < rest.length) {
      const at = pattern.lastIndex;
      const match = pattern.exec(rest);
      if (match === null) throw new Error(`cannot read "${rest.slice(at, at + 10)}"`);
      const token = match[1];
      if (token === "²" || token === "³") tokens.push("^", token === "²" ? "2" : "3");
      else tokens.push(token === "·" ? "*" : token === "−" ? "-" : token);
    }
    return tokens;
  }

  // The function of a list of numbers, one for each of `variables`; an Error says what cannot be read.
  function read(text, variables) {
    if (text.length > MOST_CHARACTERS) throw new Error(`the formula has ${text.length} characters, but may have at most ${MOST_CHARACTERS}`);
    const tokens = tokensOf(text);
    let at = 0;
    const next = (...wanted) => wanted.includes(tokens[at]) && tokens[at++];
    const need = (token) => {
      if (!next(token)) throw new Error(at < tokens.length ? `"${token}" is missing before "${tokens[at]}"` : `"${token}" is missing at the end`);
    };

    function sum() {
      let value = product();
      for (let sign = next("+", "-"); sign; sign = next("+", "-")) {
        const [left, right, factor] = [value, product(), sign === "+" ? 1 : -1];
        value = (x) => left(x) + factor * right(x);
      }
      return value;
    }

    const startsAtom = () => at < tokens.length && /^[\d.a-zπ(]/i.test(tokens[at]);

    function product() {
      let value = sign();
      for (;;) {
        const operator = next("*", "/") || (startsAtom() ? "*" : null);
        if (operator === null) return value;
        const [left, right] = [value, sign()];
        value = operator === "*" ? (x) => left(x) * right(x) : (x) => left(x) / right(x);
      }
    }

    function sign() {
      if (next("-")) {
        const inner = sign();
        return (x) => -inner(x);
      }
      next("+");
      return power();
    }

    function power() {
      const base = atom();
      if (!next("^")) return base;
      const exponent = sign();
      return (x) => Math.pow(base(x), exponent(x));
    }

    function atom() {
      const token = tokens[at];
      if (token === undefined) throw new Error("the formula ends too early");
      at += 1;
      if (/^[\d.]/.test(token)) return () => Number(token);
      if (token === "(") {
        const inner = sum();
        need(")");
        return inner;
      }
      const place = variables.indexOf(token);
      if (place >= 0) return (x) => x[place];
      if (Object.hasOwn(CONSTANTS, token)) return () => CONSTANTS[token];
      if (!Object.hasOwn(FUNCTIONS, token)) {
        throw new Error(`"${token}" is not known; there are ${variables.join(", ")}, pi, e and ${Object.keys(FUNCTIONS).join(", ")}`);
      }
      need("(");
      const inner = sum();
      need(")");
      return (x) => FUNCTIONS[token](inner(x));
    }

    const value = sum();
    if (at < tokens.length) throw new Error(`"${tokens[at]}" is not expected after "${tokens[at - 1]}"`);
    return value;
  }

  KAN.expression = { read };
})(globalThis);
