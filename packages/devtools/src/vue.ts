import { usePushStream } from '@pushstream/vue'
import { defineComponent, onBeforeUnmount, onMounted, type PropType } from 'vue'
import { mountDevtools } from './mount.js'
import type { DevtoolsOptions } from './options.js'

/**
 * The devtools for the client of the application: `<PushStreamDevtools />`. Its properties are read when it is mounted. In a
 * build for production it is empty.
 *
 * @example
 * ```ts
 * import { PushStreamDevtools } from '@pushstream/devtools/vue'
 * import { createPushStream } from '@pushstream/vue'
 * import { createApp, h } from 'vue'
 *
 * createApp({ render: () => h(PushStreamDevtools, { open: true }) }).use(createPushStream()).mount('#app')
 * ```
 */
export const PushStreamDevtools = defineComponent({
  name: 'PushStreamDevtools',
  props: {
    open: Boolean,
    theme: { type: String as PropType<DevtoolsOptions['theme']>, default: undefined },
    sentAt: { type: Function as PropType<NonNullable<DevtoolsOptions['sentAt']>>, default: undefined },
  },
  setup(props) {
    const client = usePushStream()
    let remove: (() => void) | undefined
    onMounted(() => {
      remove = mountDevtools(client, props)
    })
    onBeforeUnmount(() => remove?.())
    return () => null
  },
})
