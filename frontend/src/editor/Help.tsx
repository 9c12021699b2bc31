import { Kbd, Modal, Table } from '@mantine/core'
import { type Action, actions } from './actions'
import { keyName } from './keys'

const IN_TEXT: Pick<Action, 'label' | 'keys'>[] = [
  { label: 'Split at the caret, while writing', keys: ['mod+Enter'] },
  { label: 'Leave the text', keys: ['Escape'] },
  { label: 'This list', keys: ['?'] },
]

export function Help({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size="md" centered>
      <Table verticalSpacing={4}>
        <Table.Tbody>
          {[...Object.values(actions), ...IN_TEXT].map(({ label, keys }) => (
            <Table.Tr key={label}>
              <Table.Td>{label}</Table.Td>
              <Table.Td ta="right">
                {keys.map((key) => (
                  <Kbd key={key} ml={4}>
                    {keyName(key)}
                  </Kbd>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}
