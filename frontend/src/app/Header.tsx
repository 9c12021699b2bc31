import {
  ActionIcon,
  Group,
  Menu,
  NavLink,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import type { User } from '@supabase/supabase-js'
import { CircleUser, Film, LogOut, Moon, SquarePen, Sun } from 'lucide-react'
import { Link, useLocation } from 'wouter'
import { supabase } from '../supabase'
import { Logo } from './Logo'

export function Header({ user }: { user: User }) {
  const [path] = useLocation()
  const { setColorScheme } = useMantineColorScheme()
  const dark = useComputedColorScheme('light') === 'dark'
  const tab = (href: string, label: string, Icon: typeof Film, active: boolean) => (
    <NavLink
      component={Link}
      href={href}
      label={label}
      leftSection={<Icon size={18} aria-hidden />}
      active={active}
      aria-current={active ? 'page' : undefined}
      w="auto"
      px="sm"
      py={6}
      className="tab"
    />
  )
  return (
    <header className="header">
      <Group gap="xs" wrap="nowrap">
        <Logo />
        <Text fw={650} visibleFrom="xs">
          Subtitles
        </Text>
      </Group>
      <Group component="nav" aria-label="Pages" gap={4} wrap="nowrap">
        {tab('/', 'Editor', SquarePen, path === '/')}
        {tab('/jobs', 'Videos', Film, path.startsWith('/jobs'))}
      </Group>
      <Group gap={4} ml="auto" wrap="nowrap">
        <ActionIcon
          size="lg"
          aria-label={dark ? 'Light mode' : 'Dark mode'}
          onClick={() => setColorScheme(dark ? 'light' : 'dark')}
        >
          {dark ? <Sun size={20} /> : <Moon size={20} />}
        </ActionIcon>
        <Menu position="bottom-end" withArrow>
          <Menu.Target>
            <ActionIcon size="lg" aria-label="Account">
              <CircleUser size={20} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{user.email || 'Guest'}</Menu.Label>
            <Menu.Item
              leftSection={<LogOut size={16} aria-hidden />}
              onClick={() => supabase.auth.signOut({ scope: 'local' })}
            >
              Sign out
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
    </header>
  )
}
