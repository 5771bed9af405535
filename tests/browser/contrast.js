// Licensed under the Apache License, Version 2.0; see LICENSE.
// Every visible text against the colours behind it: WCAG 2.2, success criterion 1.4.3 (AA).

const parse = (text) => {
  const numbers = text.match(/[\d.]+/g).map(Number);
  return { rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1 };
};

const over = (top, below) =>
  top.rgb.map((value, i) => value * top.alpha + below[i] * (1 - top.alpha));

const luminance = (rgb) => {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    layers.push(parse(getComputedStyle(at).backgroundColor));
  }
  return layers.reverse().reduce((colour, layer) => over(layer, colour), [255, 255, 255]);
};

const faint = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const text = walker.currentNode.data.trim();
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (!text || style.visibility === 'hidden' || box.width <= 1 || box.right < 0) {
    continue;
  }
  const ground = behind(element);
  const lights = [luminance(over(parse(style.color), ground)), luminance(ground)];
  const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) {
    faint.push(`${ratio.toFixed(2)}: ${text.slice(0, 60)}`);
  }
}
return faint;
