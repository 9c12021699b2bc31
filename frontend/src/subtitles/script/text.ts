/** worker/media/cues.py, the same in TypeScript: text without what can't be drawn. */

const SPACE = ' \u00a0\u3000'
const MARK =
  '[\\u0300-\\u036f\\u0483-\\u0489\\u0e31\\u0e34-\\u0e3a\\u0e47-\\u0e4e\\u1ab0-\\u1aff\\u1dc0-\\u1dff' +
  '\\u20d0-\\u20ff\\ufe20-\\ufe2f]'
const PILE_OF_MARKS = new RegExp(`(${MARK}{8})${MARK}+`, 'gu')

export function clean(text: string): string {
  const characters = [...printable(text)]
  return trimmedLines(characters)
    .map(([start, end]) => characters.slice(start, end).join(''))
    .join('\n')
}

/** `clean` without trimming its lines. */
export function printable(text: string): string {
  return (
    text
      .replace(/\r\n|[\r\v\f\u0085\u2028\u2029]/gu, '\n')
      .replaceAll('\t', ' ')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]/gu, '')
      .replace(/\p{Surrogate}/gu, '\ufffd')
      .replace(PILE_OF_MARKS, '$1')
  )
}

/** Each line without the spaces around it, and without the empty lines around the text. */
export function trimmedLines(text: string[]): [start: number, end: number][] {
  const lines: [number, number][] = []
  let from = 0
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && text[at] !== '\n') continue
    let [start, end] = [from, at]
    while (start < end && SPACE.includes(text[start] ?? '')) start++
    while (end > start && SPACE.includes(text[end - 1] ?? '')) end--
    lines.push([start, end])
    from = at + 1
  }
  const isFilled = ([start, end]: [number, number]) => end > start
  return lines.slice(lines.findIndex(isFilled), lines.findLastIndex(isFilled) + 1)
}
