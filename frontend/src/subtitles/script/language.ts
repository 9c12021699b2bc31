/** worker/media/script/language.py, the same in TypeScript. */

export type EastAsian = 'ja' | 'ko' | 'zh-hans' | 'zh-hant'

const KANA = /[\u3041-\u3096\u30a1-\u30fa]/gu
const HANGUL = /[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]/gu
const SIMPLIFIED =
  /[这个们来说时会国对发过还没为让吗样么给话现实点开经动问应见长谁车爱东钱电认识听边觉许张两万与门间题]/gu
const TRADITIONAL =
  /[這個們來說時會國對發過還沒為讓嗎樣麼給話現實點開經動問應見長誰車愛東錢電認識聽邊覺許張兩萬與門間題]/gu
const TRADITIONAL_TAGS = ['hant', 'tw', 'hk', 'mo']

export function eastAsian(text: string, language: string | null): EastAsian {
  const [primary = '', ...subtags] = (language ?? '').toLowerCase().split('-')
  if (primary === 'ja' || primary === 'ko') return primary
  if (['zh', 'yue', 'cmn'].includes(primary)) {
    const hant = primary === 'yue' || subtags.some((tag) => TRADITIONAL_TAGS.includes(tag))
    return hant ? 'zh-hant' : 'zh-hans'
  }
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0
  const [kana, hangul] = [count(KANA), count(HANGUL)]
  if (kana || hangul) return kana >= hangul ? 'ja' : 'ko'
  return count(TRADITIONAL) > count(SIMPLIFIED) ? 'zh-hant' : 'zh-hans'
}
