/** worker/media/script/faces.py, the same in TypeScript: which font draws a character, and how large. */

import type { EastAsian } from './language'

/** A font family (null: the style's own) and its size in per cent of the style's. */
export interface Face {
  family: string | null
  percent: number
}

export const BASE: Face = { family: null, percent: 100 }
const EMOJI: Face = { family: 'Noto Emoji', percent: 85 }

const SCRIPTS: [RegExp, Face][] = (
  [
    ['\\u0530-\\u058f', 'Armenian', 90],
    ['\\u0590-\\u05ff\\ufb1d-\\ufb4f', 'Hebrew', 90],
    ['\\u0600-\\u06ff\\u0750-\\u077f\\u08a0-\\u08ff\\ufb50-\\ufdff\\ufe70-\\ufefc', 'Arabic', 143],
    ['\\u0900-\\u097f\\ua8e0-\\ua8ff', 'Devanagari', 125],
    ['\\u0980-\\u09ff', 'Bengali', 92],
    ['\\u0a00-\\u0a7f', 'Gurmukhi', 86],
    ['\\u0a80-\\u0aff', 'Gujarati', 98],
    ['\\u0b00-\\u0b7f', 'Oriya', 90],
    ['\\u0b80-\\u0bff', 'Tamil', 82],
    ['\\u0c00-\\u0c7f', 'Telugu', 97],
    ['\\u0c80-\\u0cff', 'Kannada', 108],
    ['\\u0d00-\\u0d7f', 'Malayalam', 82],
    ['\\u0d80-\\u0dff', 'Sinhala', 86],
    ['\\u0e00-\\u0e7f', 'Thai', 99],
    ['\\u0e80-\\u0eff', 'Lao', 108],
    ['\\u1000-\\u109f\\ua9e0-\\ua9ff\\uaa60-\\uaa7f', 'Myanmar', 144],
    ['\\u10a0-\\u10ff\\u1c90-\\u1cbf\\u2d00-\\u2d2f', 'Georgian', 91],
    ['\\u1200-\\u139f\\u2d80-\\u2ddf', 'Ethiopic', 90],
    ['\\u1780-\\u17ff\\u19e0-\\u19ff', 'Khmer', 123],
  ] as const
).map(([ranges, script, percent]) => [
  new RegExp(`[${ranges}]`, 'u'),
  { family: `Noto Sans ${script}`, percent },
])
const IS_CJK =
  /[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u{20000}-\u{3134f}]/u
const CJK_PERCENT = 95
const CJK_FAMILIES = { ja: 'JP', ko: 'KR', 'zh-hans': 'SC', 'zh-hant': 'TC' }

// biome-ignore lint/suspicious/noMisleadingCharacterClass: each is looked at by itself
const FOLLOWS = /[ \n\u0300-\u036f\u0964\u0965\u200c\u200d\ufe00-\ufe0f]/u
const IS_EMOJI = /[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\u{1f000}-\u{1faff}]/u
export const FOLLOWS_EMOJI = /[\u200d\u20e3\ufe0e\ufe0f\u{e0020}-\u{e007f}]/u
const EMOJI_SIGN = '\ufe0f'

/** The face of each character. Without `noto` only emoji leave the style's own font. */
export function facesOf(text: string[], language: EastAsian, noto: boolean): Face[] {
  const cjk = { family: `Noto Sans CJK ${CJK_FAMILIES[language]}`, percent: CJK_PERCENT }
  let before = BASE
  return text.map((character, at) => {
    const goesOn = before === EMOJI && FOLLOWS_EMOJI.test(character)
    const latin = character > ' ' && character < '\u0300' && text[at + 1] !== EMOJI_SIGN
    if (latin) before = BASE
    else if (goesOn || text[at + 1] === EMOJI_SIGN || IS_EMOJI.test(character)) before = EMOJI
    else if (FOLLOWS.test(character)) before = before === EMOJI ? BASE : before
    else if (!noto) before = BASE
    else if (IS_CJK.test(character)) before = cjk
    else before = SCRIPTS.find(([pattern]) => pattern.test(character))?.[1] ?? BASE
    return before
  })
}
