/** Times as people read and type them. */

/** `1:02:03.456`; hours only where there are some. */
export function formatTime(milliseconds: number): string {
  const { hours, minutes, seconds, rest } = parts(milliseconds)
  const short = `${minutes}:${pad(seconds)}.${pad(rest, 3)}`
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds)}.${pad(rest, 3)}` : short
}

/** `01:02:03,456` (SRT) or `01:02:03.456` (WebVTT). */
export function fileTime(milliseconds: number, separator: ',' | '.'): string {
  const { hours, minutes, seconds, rest } = parts(milliseconds)
  return `${pad(hours)}:${pad(minutes)}:${pad(seconds)}${separator}${pad(rest, 3)}`
}

/** What someone typed: `75`, `1:15`, `1:15.5`, `0:01:15,500`; undefined if it is no time. */
export function parseTime(text: string): number | undefined {
  const match = /^\s*(?:(?:(\d+):)?(\d+):)?(\d+)(?:[.,](\d{1,3}))?\s*$/.exec(text)
  if (!match) return undefined
  const [, hours = '0', minutes = '0', seconds = '0', fraction = ''] = match
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return whole * 1000 + Number(fraction.padEnd(3, '0'))
}

/** `4 min 5 s`, `2 h 10 min`: a length of time in words. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

function parts(milliseconds: number) {
  const whole = Math.max(0, Math.round(milliseconds))
  return {
    hours: Math.floor(whole / 3_600_000),
    minutes: Math.floor(whole / 60_000) % 60,
    seconds: Math.floor(whole / 1000) % 60,
    rest: whole % 1000,
  }
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0')
