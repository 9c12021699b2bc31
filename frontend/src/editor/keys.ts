const NAMES: Record<string, string> = {
  space: 'Space',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
}

const MAC = typeof navigator !== 'undefined' && navigator.userAgent.includes('Mac')

/** `mod+shift+Z` as it is printed on the keyboard in front of the user. */
export function keyName(keys: string): string {
  return keys
    .split('+')
    .map((key) => {
      if (key === 'mod') return MAC ? '⌘' : 'Ctrl'
      if (key === 'shift') return MAC ? '⇧' : 'Shift'
      return NAMES[key] ?? key
    })
    .join(MAC ? '' : '+')
}
