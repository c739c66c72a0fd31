// The controls of part 4: their values, what stands beside them, and the address of the page.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { format, byId } = KAN.draw;
  const { TARGETS } = KAN.trainingData;

  const own = (name) => Number(byId(name).value);
  const rate = () => 10 ** own("train-rate");
  const penalty = () => (own("train-penalty") <= -5 ? 0 : 10 ** own("train-penalty"));
  const widths = () => (own("train-hidden") === 0 ? [2, 1] : [2, own("train-hidden"), 1]);

  const targetText = () => (byId("train-target").value === "own" ? byId("train-own").value : byId("train-target").value);

  function labels() {
    const shown = { "train-hidden": String(own("train-hidden")), "train-intervals": String(own("train-intervals")), "train-degree": String(own("train-degree")),
      "train-rate": format(rate(), 2), "train-penalty": penalty() === 0 ? "0" : format(penalty(), 2), "train-seed": String(own("train-seed")) };
    for (const [name, text] of Object.entries(shown)) {
      byId(`${name}-value`).textContent = text;
      byId(name).setAttribute("aria-valuetext", text);
    }
    byId("train-own-row").hidden = byId("train-target").value !== "own";
  }

  function fromAddress() {
    if (KAN.address.text("part", "") !== "training") return;
    const target = KAN.address.text("target", TARGETS[0]);
    byId("train-target").value = TARGETS.includes(target) ? target : "own";
    if (!TARGETS.includes(target)) byId("train-own").value = target;
    for (const name of ["hidden", "intervals", "degree", "rate", "penalty", "seed"]) {
      const slider = byId(`train-${name}`);
      slider.value = KAN.address.number(name, Number(slider.value), Number(slider.min), Number(slider.max));
    }
  }

  function toAddress() {
    KAN.address.write("training", { target: targetText(), hidden: own("train-hidden"), intervals: own("train-intervals"), degree: own("train-degree"),
      rate: own("train-rate"), penalty: own("train-penalty"), seed: own("train-seed") });
  }

  KAN.trainingControls = { own, rate, penalty, widths, targetText, labels, fromAddress, toAddress };
})(globalThis);
