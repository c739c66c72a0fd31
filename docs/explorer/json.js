// Strict JSON (RFC 8259), as kan_ref.load reads it: UTF-8 without a byte order mark, no key twice in an object, and integers known by
// how they are written: 3 is one, 3.0, 3e0, -0 and more than 15 digits are not. Every fault is an Error whose message is one sentence.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const TOKENS = {
    space: /[ \t\n\r]*/y,
    string: /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y,
    number: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y,
    word: /true|false|null/y,
  };
  const MOST_DIGITS = 15;
  const WORDS = { true: true, false: false, null: null };
  const decimals = new WeakMap(); // object -> names of the members that are numbers, but no integers

  // The text of a file's bytes.
  function decode(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Error("it is not JSON: it is not encoded in UTF-8");
    }
  }

  function parse(text) {
    let at = 0;
    let isInteger = false; // the last number

    function fail(needed) {
      throw new Error(`it is not JSON: position ${at} needs ${needed}`);
    }

    function take(kind) {
      const token = TOKENS[kind];
      token.lastIndex = at;
      const found = token.exec(text);
      if (found === null) return null;
      at = token.lastIndex;
      return found[0];
    }

    // the next character that is not a space, taken if it is the given one
    function takes(character) {
      take("space");
      if (text[at] !== character) return false;
      at += 1;
      return true;
    }

    // what `entry` reads, separated by commas, up to the closing character
    function list(closing, entry) {
      if (takes(closing)) return;
      do entry();
      while (takes(","));
      if (!takes(closing)) fail(`',' or '${closing}'`);
    }

    function member(object) {
      take("space");
      const key = take("string");
      if (key === null) fail("a key in double quotes");
      const name = JSON.parse(key);
      if (Object.hasOwn(object, name)) throw new Error(`it has the key ${key.slice(0, 40)} twice in one object`);
      if (!takes(":")) fail("':'");
      isInteger = true;
      // no assignment: a key such as "__proto__" would have an effect
      Object.defineProperty(object, name, { value: value(), enumerable: true, configurable: true, writable: true });
      if (typeof object[name] === "number" && !isInteger) decimals.set(object, (decimals.get(object) || new Set()).add(name));
    }

    function value() {
      if (takes("{")) {
        const object = {};
        list("}", () => member(object));
        return object;
      }
      if (takes("[")) {
        const items = [];
        list("]", () => items.push(value()));
        return items;
      }
      const string = take("string");
      if (string !== null) return JSON.parse(string);
      const word = take("word");
      if (word !== null) return WORDS[word];
      const number = take("number");
      if (number === null) fail("a value");
      isInteger = /^-?[0-9]+$/.test(number) && number.length <= MOST_DIGITS && number !== "-0";
      return Number(number);
    }

    const found = value();
    take("space");
    if (at < text.length) fail("the end of the text");
    return found;
  }

  // Whether a member of an object is an integer; of an object that is not from `parse`, whether its value is one.
  function isWhole(object, name) {
    return Number.isInteger(object[name]) && !(decimals.has(object) && decimals.get(object).has(name));
  }

  KAN.json = { decode, parse, isWhole };
})(globalThis);
