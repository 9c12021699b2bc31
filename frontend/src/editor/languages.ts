/** Languages to choose from, by their names; the worker takes any BCP 47 tag. */

const TAGS =
  'af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ' +
  'ka kk km kn ko lo lt lv mk ml mn mr ms my nb ne nl nn pa pl ps pt pt-BR ro ru si sk sl sq sr sv sw ta te ' +
  'th tr uk ur uz vi yue zh-Hans zh-Hant'

const names = new Intl.DisplayNames('en', { type: 'language' })

export function languageName(tag: string): string {
  return names.of(tag) ?? tag
}

export const LANGUAGES = TAGS.split(' ')
  .map((value) => ({ value, label: languageName(value) }))
  .sort((a, b) => a.label.localeCompare(b.label))
