// Elements from plain values. Text becomes text nodes: nothing that anybody wrote is ever read as HTML.

type Child = Node | string | false | null | undefined;
type Props = Record<string, string | boolean | undefined | ((event: Event) => void)>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (typeof value === "string") element.setAttribute(name, value);
  }
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

export function button(label: string | undefined, press: () => void, props: Props = {}): HTMLButtonElement {
  return h("button", { type: "button", click: press, ...props }, label);
}

/** A link, if it leads where our answers may lead; else its words alone. */
export function link(label: string, to: string, props: Props = {}): HTMLElement {
  if (!/^(https:|http:\/\/(127\.0\.0\.1|localhost)[:/]|tel:|mailto:)/i.test(to)) return h("span", props, label);
  const outside: Props = /^http/i.test(to) ? { target: "_blank", rel: "noopener noreferrer" } : {};
  return h("a", { href: to, ...outside, ...props }, label);
}
