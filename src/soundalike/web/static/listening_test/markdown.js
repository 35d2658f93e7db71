// A small part of Markdown: paragraphs, headings, lists, emphasis, code and links. Text becomes text nodes and nothing else, so
// that no file of instructions can add an element or a script of its own.

import { make } from "../dom.js";

const INLINE = /\*\*(?<strong>[^*]+)\*\*|\*(?<em>[^*\s][^*]*)\*|`(?<code>[^`]+)`|\[(?<words>[^\]]+)\]\((?<address>[^)\s]+)\)/;

/**
 * Inline Markdown as nodes.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function inline(text) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  let rest = text;
  for (let match = INLINE.exec(rest); match?.groups; match = INLINE.exec(rest)) {
    const { strong, em, code, words, address } = match.groups;
    nodes.push(rest.slice(0, match.index));
    if (strong) nodes.push(make("strong", {}, ...inline(strong)));
    else if (em) nodes.push(make("em", {}, ...inline(em)));
    else if (code) nodes.push(make("code", {}, code));
    else nodes.push(link(words, address));
    rest = rest.slice(match.index + match[0].length);
  }
  nodes.push(rest);
  return nodes.filter((node) => node !== "");
}

/**
 * @param {string} words
 * @param {string} address
 */
function link(words, address) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return words;
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...inline(words));
}

/**
 * Markdown as elements.
 * @param {string} text
 * @returns {HTMLElement[]}
 */
export function blocks(text) {
  /** @type {HTMLElement[]} */
  const elements = [];
  /** @type {string[]} */
  let paragraph = [];
  let list = /** @type {HTMLElement | null} */ (null);
  let blank = false;
  const endParagraph = () => {
    if (paragraph.length) elements.push(make("p", {}, ...inline(paragraph.join(" "))));
    paragraph = [];
  };
  for (const line of text.split(/\r?\n/)) {
    const heading = /^#{3,6}\s+(.*?)\s*#*$/.exec(line);
    const item = /^\s{0,3}(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (heading) {
      endParagraph();
      list = null;
      elements.push(make("h2", {}, ...inline(heading[1])));
    } else if (item) {
      endParagraph();
      const tag = item[1] ? "ol" : "ul";
      if (list?.localName !== tag) elements.push((list = make(tag)));
      list.append(make("li", {}, ...inline(item[2])));
    } else if (!line.trim()) {
      endParagraph();
    } else if (list && !blank) {
      list.lastElementChild?.append(" ", ...inline(line.trim())); // an item that goes on in the next line
    } else {
      list = null;
      paragraph.push(line.trim());
    }
    blank = !line.trim();
  }
  endParagraph();
  return elements;
}
