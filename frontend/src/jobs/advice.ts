/** For every error code: whose turn it is. The sentence that says what happened comes with the error. */

import catalogue from '../service/errors.json'

export interface Advice {
  title: string
  /** Where the user goes from here. */
  action: 'edit' | 'retry' | 'sign-in' | 'wait'
}

const ABOUT_SUBTITLES: Advice = { title: 'The subtitles need a change', action: 'edit' }
const ABOUT_VIDEO: Advice = { title: 'This video can’t be used', action: 'edit' }
const ABOUT_REQUEST: Advice = { title: 'The request needs a change', action: 'edit' }
const OURS: Advice = { title: 'That went wrong on our side', action: 'retry' }

const FAMILIES: [RegExp, Advice][] = [
  [/^(subtitles|cues)_/, ABOUT_SUBTITLES],
  [/^(input|video)_|^invalid_video$/, ABOUT_VIDEO],
  [/^upload_(refused|too_large)$/, ABOUT_VIDEO],
  [/^invalid_/, ABOUT_REQUEST],
  [/^quota_/, { title: 'Not so fast', action: 'wait' }],
  [/^(network|upload_failed)$/, { title: 'The connection broke', action: 'retry' }],
  [/^(not_signed_in|unauthorized)$/, { title: 'You are signed out', action: 'sign-in' }],
  [/^cancelled$/, { title: 'Cancelled', action: 'retry' }],
]

export function adviceFor(code: string): Advice {
  const family = FAMILIES.find(([pattern]) => pattern.test(code))?.[1]
  // What the worker did not try again is about what it was given.
  const final = (catalogue as Record<string, { retry: boolean }>)[code]?.retry === false
  return family ?? (final ? ABOUT_VIDEO : OURS)
}
