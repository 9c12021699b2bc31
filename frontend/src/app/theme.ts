import { type CSSVariablesResolver, createTheme } from '@mantine/core'

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: 'md',
  cursorType: 'pointer',
  // The last one: what assets.py made of the worker's fonts, for scripts that this machine lacks.
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif, "Any Script"',
  headings: { fontWeight: '650' },
  components: {
    ActionIcon: {
      defaultProps: { variant: 'subtle', color: 'gray' },
      classNames: { root: 'icon-button' },
    },
    Modal: {
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        // Its <header> is no second banner of the page.
        attributes: { header: { role: 'presentation' } },
      },
    },
  },
})

/** Mantine's dimmed text is too pale to read, by WCAG AA. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': 'var(--mantine-color-gray-7)',
    '--mantine-color-placeholder': 'var(--mantine-color-gray-7)',
    '--surface': 'var(--mantine-color-gray-0)',
    '--wave': '#868e96',
    '--wave-played': '#4263eb',
    '--cue': 'rgb(66 99 235 / 16%)',
    '--cue-selected': 'rgb(66 99 235 / 38%)',
    '--cue-label': 'rgb(255 255 255 / 75%)',
  },
  dark: {
    '--mantine-color-dimmed': 'var(--mantine-color-dark-1)',
    '--mantine-color-placeholder': 'var(--mantine-color-dark-1)',
    '--surface': 'var(--mantine-color-dark-8)',
    '--wave': '#909296',
    '--wave-played': '#91a7ff',
    '--cue': 'rgb(145 167 255 / 18%)',
    '--cue-selected': 'rgb(145 167 255 / 42%)',
    '--cue-label': 'rgb(0 0 0 / 55%)',
  },
})
