/** Undo and redo of a value that is never changed in place. */
export interface History<T> {
  readonly past: readonly T[]
  readonly present: T
  readonly future: readonly T[]
  /** What the last change was: one of the same name right after it is the same step. */
  readonly name: string | undefined
}

const DEPTH = 200

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], name: undefined }
}

/**
 * A step. With a `name`, steps of that name in a row are undone together: the letters of a text, the
 * pixels of a drag.
 */
export function advance<T>(history: History<T>, present: T, name?: string): History<T> {
  if (present === history.present) return history
  const joined = name !== undefined && name === history.name
  const past = joined ? history.past : [...history.past, history.present].slice(-DEPTH)
  return { past, present, future: [], name }
}

export function undo<T>(history: History<T>): History<T> {
  const present = history.past.at(-1)
  if (present === undefined) return history
  return {
    past: history.past.slice(0, -1),
    present,
    future: [history.present, ...history.future],
    name: undefined,
  }
}

export function redo<T>(history: History<T>): History<T> {
  const [present, ...future] = history.future
  if (present === undefined) return history
  return { past: [...history.past, history.present], present, future, name: undefined }
}
