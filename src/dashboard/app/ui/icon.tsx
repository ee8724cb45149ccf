/** Line icons of 24 by 24 units. An icon is decoration: what it means stands in a text beside it or in a label. */
const PATHS = {
  home: 'M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-5v-6h-4v6H5a1 1 0 0 1-1-1z',
  tasks: 'M9 6h11M9 12h11M9 18h11M4 6l1 1 2-2M4 12l1 1 2-2M4 18l1 1 2-2',
  gpu: 'M4 8h16v9H4zM8 17v3M12 17v3M16 17v3M8 8V5M12 8V5M16 8V5M9 11h6v3H9z',
  materials: 'M4 5h16v14H4zM10 9l5 3-5 3z',
  photos: 'M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 5M15.5 9.5h.01',
  chat: 'M5 5h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-7l-5 4v-4H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z',
  schedule: 'M5 6h14v14H5zM5 10h14M9 3v4M15 3v4',
  courses: 'M4 6c3-1 6-1 8 1 2-2 5-2 8-1v12c-3-1-6-1-8 1-2-2-5-2-8-1zM12 7v12',
  money: 'M4 7h16v11H4zM4 11h16M15 15h2',
  webhook: 'M8 12a4 4 0 1 1 5-3.9l3 5.6M12 8l-3.5 6M16 13.500a3.500 3.500 0 1 1-3 5.500H8a3 3 0 1 1-1-4.800',
  session: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-4 4-6 8-6s7 2 8 6',
  users:
    'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3 20c.5-4 3-6 6-6s5.500 2 6 6M16 4.500a3.500 3.500 0 0 1 0 6.500M17.500 14.500c2 .8 3.200 2.700 3.500 5.500',
  code: 'M4 8h16v3a1.500 1.500 0 0 0 0 3v3H4v-3a1.500 1.500 0 0 0 0-3zM14 8v9',
  settings: 'M5 7h8M17 7h2M5 17h2M11 17h8M15 5v4M9 15v4M5 12h5M14 12h5M12 10v4',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4l3 2',
  log: 'M6 4h9l4 4v12H6zM15 4v4h4M9 12h7M9 16h7',
  audit: 'M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4',
  pulse: 'M3 12h4l3-7 4 14 3-7h4',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  play: 'M8 5l11 7-11 7z',
  pause: 'M9 5v14M15 5v14',
  stop: 'M7 7h10v10H7z',
  retry: 'M5 12a7 7 0 1 1 2 5M5 12V7M5 12h5',
  trash: 'M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13M10 11v5M14 11v5',
  upload: 'M12 16V5M8 9l4-4 4 4M5 19h14',
  download: 'M12 5v11M8 12l4 4 4-4M5 19h14',
  heart: 'M12 20c-5-3.500-8-6.500-8-10a4 4 0 0 1 8-1.500A4 4 0 0 1 20 10c0 3.500-3 6.500-8 10z',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4 4',
  edit: 'M5 19l1-4L16 5l3 3L9 18z',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  check: 'M5 13l4 4L19 7',
  up: 'M5 15l7-7 7 7',
  down: 'M5 9l7 7 7-7',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  send: 'M4 12l16-8-6 16-3-7z',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20h4',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  signOut: 'M14 5h5v14h-5M4 12h11M11 8l4 4-4 4',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  tag: 'M4 12V4h8l8 8-8 8zM8 8h.01',
  folder: 'M4 6h6l2 2h8v11H4z',
  eye: 'M2 12c3-5 6-7 10-7s7 2 10 7c-3 5-6 7-10 7s-7-2-10-7zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
} as const

export type IconName = keyof typeof PATHS

export const Icon = ({ name, size = 20 }: { name: IconName; size?: number }) => (
  <svg
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path d={PATHS[name]} />
  </svg>
)
